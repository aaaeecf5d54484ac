// A process with an engine that counts in eight executions at a time until it is killed; see kill.test.ts.
// Arguments: the engine's directory, the file to which every call is appended.
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine } from '../../embedded/engine/engine.ts';
import { INVOKE, machine } from './definitions.ts';

const [directory = '', callsPath = ''] = process.argv.slice(2);
const NAMES = Array.from({ length: 8 }, (_, index) => `run-${index}`);

const count = machine({
  Begin: { Type: 'Pass', Assign: { n: 0 }, Next: 'Count' },
  Count: {
    Type: 'Task',
    Resource: INVOKE,
    Arguments: { FunctionName: 'count', Payload: { name: '{% $states.context.Execution.Name %}', n: '{% $n %}' } },
    Assign: { n: '{% $n + 1 %}' },
    Output: '{% $states.result.Payload %}',
    Next: 'Enough',
  },
  Enough: { Type: 'Choice', Choices: [{ Condition: '{% $n < 20 %}', Next: 'Count' }], Default: 'End' },
  End: { Type: 'Succeed', Output: '{% $n %}' },
});

const engine = createEngine({
  directory,
  random: Math.random,
  newId: randomUUID,
  randomToken: randomUUID,
  invokeLambda: async (_, payload) => {
    const { name, n } = payload as { name: string; n: number };
    appendFileSync(callsPath, `${name} ${n}\n`);
    process.stdout.write('call\n');
    await sleep(2);
    return { payload: n };
  },
  putEvents: async () => ({ FailedEntryCount: 0, Entries: [] }),
  onStatusChange: ({ status }) => process.stdout.write(`${status}\n`),
  onFault: (error) => {
    throw error;
  },
});

const { stateMachineArn } = engine.loadMachine({ name: 'count', definition: count });
await engine.resume();
for (const name of NAMES) await engine.handle('StartExecution', { stateMachineArn, name });
for (;;) {
  const { body } = await engine.handle('ListExecutions', { stateMachineArn, statusFilter: 'SUCCEEDED' });
  if ((body as { executions: unknown[] }).executions.length === NAMES.length) break;
  await sleep(5);
}
process.stdout.write('all done\n');
await engine.close();
