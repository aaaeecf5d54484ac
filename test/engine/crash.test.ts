// Cuts the journal of a whole execution after every line, and within every line: whatever a kill -9 leaves behind,
// the next engine comes to the same result.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DISPATCH, machine, PUT_EVENTS, WORK } from './definitions.ts';
import { wellFormed } from './well-formed.ts';
import { ApiFailure, createWorld, FunctionError, temporaryDirectory, type World, type WorldOptions } from './world.ts';

const CALL = { ...WORK, Arguments: { FunctionName: 'work', Payload: '{% $states.input %}' } };

/** Every kind of state, a retry, a caught error, variables, a Map with a token in it. */
const everything = machine(
  {
    Begin: { Type: 'Pass', Assign: { list: [1, 2, 3] }, Next: 'Announce' },
    Announce: {
      Type: 'Task',
      Resource: PUT_EVENTS,
      Arguments: { Entries: [{ Detail: {} }] },
      Output: 'x',
      Next: 'Sleep',
    },
    Sleep: { Type: 'Wait', Seconds: 5, Next: 'Unstable' },
    Unstable: {
      ...CALL,
      Arguments: { FunctionName: 'unstable', Payload: '{% $states.context.State.RetryCount %}' },
      Retry: [{ ErrorEquals: ['Unstable'] }],
      Assign: { attempts: '{% $states.result.Payload %}' },
      Next: 'Caught',
    },
    Caught: {
      ...CALL,
      Arguments: { FunctionName: 'broken', Payload: 0 },
      Catch: [{ ErrorEquals: ['Broken'], Assign: { caught: '{% $states.errorOutput.Error %}' }, Next: 'Each' }],
      Next: 'Never',
    },
    Never: { Type: 'Fail' },
    Each: {
      Type: 'Map',
      Items: '{% $list %}',
      MaxConcurrency: 2,
      ItemProcessor: {
        StartAt: 'Multiply',
        States: {
          Multiply: { ...CALL, Output: '{% $states.result.Payload * 10 %}', Next: 'Nap' },
          Nap: { Type: 'Wait', Seconds: '{% $states.input %}', Next: 'Ask' },
          Ask: { ...DISPATCH, Output: '{% $states.input + $states.result %}', End: true },
        },
      },
      Next: 'Which',
    },
    Which: {
      Type: 'Choice',
      Choices: [{ Condition: '{% $sum($states.input) = 63 %}', Next: 'End' }],
      Default: 'Never',
    },
    End: {
      Type: 'Succeed',
      Output: { each: '{% $states.input %}', attempts: '{% $attempts %}', caught: '{% $caught %}' },
    },
  },
  { TimeoutSeconds: 1000 },
);

const expected = { each: [11, 21, 31], attempts: 2, caught: 'Broken' };

const options: WorldOptions = {
  machines: { main: everything },
  lambda: (functionName, payload: number) => {
    if (functionName === 'unstable' && payload < 2) throw new FunctionError('Unstable');
    if (functionName === 'broken') throw new FunctionError('Broken');
    return payload;
  },
};

/** Answers every token it knows of and lets time pass, until the execution has ended. */
async function finish(world: World, tokens: readonly string[]): Promise<void> {
  for (;;) {
    await world.quiet();
    const { status } = await world.describe('run');
    if (status !== 'RUNNING') return;
    if (await answerOne(world, [...tokens, ...tokensOf(world)])) continue;
    if (!world.clock.fireNext()) throw new Error('The execution waits for nothing');
  }
}

function tokensOf(world: World): string[] {
  return world.invocations
    .filter(({ functionName }) => functionName === 'dispatch')
    .map(({ payload }) => (payload as { token: string }).token);
}

async function answerOne(world: World, tokens: readonly string[]): Promise<boolean> {
  for (const taskToken of tokens) {
    try {
      await world.call('SendTaskSuccess', { taskToken, output: '1' });
      return true;
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.code !== 'TaskTimedOut') throw error;
    }
  }
  return false;
}

describe('a crash at any moment', () => {
  it('changes nothing in what comes out', async () => {
    const original = await createWorld(options);
    await original.start();
    await finish(original, []);
    const tokens = tokensOf(original);
    const lines = readFileSync(join(original.directory, 'main', 'run.jsonl'), 'utf8')
      .split('\n')
      .slice(0, -1);
    const outputs: unknown[] = [];
    const problems: string[] = [];

    for (let whole = 1; whole <= lines.length; whole += 1) {
      const torn = (lines[whole] ?? '').slice(0, (lines[whole] ?? '').length / 2);
      const directory = temporaryDirectory();
      cpSync(original.directory, directory, { recursive: true });
      writeFileSync(join(directory, 'main', 'run.jsonl'), [...lines.slice(0, whole), torn].join('\n'));
      const world = await createWorld({ ...options, directory });
      await finish(world, tokens);
      outputs.push(JSON.parse((await world.describe('run')).output ?? 'null'));
      problems.push(...wellFormed(await world.history('run')), ...world.faults.map(String));
      await world.engine.close();
    }

    expect(lines.length).toBeGreaterThan(40);
    expect(outputs).toEqual(lines.map(() => expected));
    expect(problems).toEqual([]);
  });
});
