// StartExecution, DescribeExecution, ListExecutions, StopExecution.
import { z } from 'zod';
import { readJournal } from '../journal/journal.ts';
import type { Summary } from '../journal/lines.ts';
import { MAX_PAYLOAD_BYTES, sizeBytes } from '../json.ts';
import type { Machine } from '../machines/machine.ts';
import { notRedrivable } from '../machines/status-change.ts';
import type { LiveExecution } from '../run/execution.ts';
import type { Ending } from '../run/frame.ts';
import { parseExecutionArn, parseMachineArn } from './arns.ts';
import { executionDoesNotExist, invalidExecutionInput, invalidName, validation } from './errors.ts';
import { type Machines, machineByArn, operation, seconds } from './operation.ts';
import { decodeToken, encodeToken, maxResults, nextToken } from './pages.ts';

const arn = z.string().min(1).max(256);

/** Step Functions' rule for names: no white space, brackets, wildcards, special or control characters. */
const EXECUTION_NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u;

export const startExecution = operation(
  z.object({ stateMachineArn: arn, name: z.string().nullish(), input: z.string().nullish() }),
  (machines, { stateMachineArn, name, input }) => {
    const machine = machineByArn(machines, stateMachineArn, parseMachineArn(stateMachineArn));
    const execution = name ?? machines.newId();
    if (!EXECUTION_NAME.test(execution)) throw invalidName(execution);
    const started = machine.start(execution, checkedInput(input ?? '{}'));
    return { executionArn: started.arn, startDate: seconds(started.startMs) };
  },
);

export const describeExecution = operation(z.object({ executionArn: arn }), (machines, { executionArn }) => {
  const { machine, head } = findExecution(machines, executionArn);
  const running = machine.running(head.name);
  const { inputText, ending } = running === undefined ? endedParts(machine, head) : runningParts(running);
  return {
    ...listItem(machine, head),
    input: inputText,
    inputDetails: { included: true },
    ...endingMembers(ending),
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason: notRedrivable(head.status),
  };
});

const PLACE = z.object({ startMs: z.number(), name: z.string() });

export const listExecutions = operation(
  z.object({
    stateMachineArn: arn,
    statusFilter: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE']).nullish(),
    maxResults,
    nextToken,
  }),
  (machines, input) => {
    const machine = machineByArn(machines, input.stateMachineArn, parseMachineArn(input.stateMachineArn));
    const after = decodeToken(input.nextToken, PLACE);
    // No execution is ever redriven here, so that filter finds none.
    if (input.statusFilter === 'PENDING_REDRIVE') return { executions: [] };
    const { heads, hasMore } = machine.heads.page(input.statusFilter ?? undefined, after, input.maxResults);
    const last = heads.at(-1);
    return {
      executions: heads.map((head) => listItem(machine, head)),
      ...(hasMore && last !== undefined ? { nextToken: encodeToken({ startMs: last.startMs, name: last.name }) } : {}),
    };
  },
);

export const stopExecution = operation(
  z.object({ executionArn: arn, error: z.string().max(256).nullish(), cause: z.string().max(32_768).nullish() }),
  async (machines, { executionArn, error, cause }) => {
    const { machine, head } = findExecution(machines, executionArn);
    await machine.running(head.name)?.stop(error ?? null, cause ?? null);
    return { stopDate: seconds(machine.heads.get(head.name)?.stopMs ?? head.startMs) };
  },
);

export function findExecution(machines: Machines, arn: string): { readonly machine: Machine; readonly head: Summary } {
  const { machine: machineName, execution } = parseExecutionArn(arn);
  const machine = machines.byName(machineName);
  const head = machine?.heads.get(execution);
  if (machine === undefined || head === undefined || machine.executionArn(execution) !== arn) {
    throw executionDoesNotExist(arn);
  }
  return { machine, head };
}

function listItem(machine: Machine, { name, status, startMs, stopMs }: Summary) {
  return {
    executionArn: machine.executionArn(name),
    stateMachineArn: machine.arn,
    name,
    status,
    startDate: seconds(startMs),
    ...(stopMs === null ? {} : { stopDate: seconds(stopMs) }),
    redriveCount: 0,
  };
}

function runningParts({ context }: LiveExecution): { readonly inputText: string; readonly ending: null } {
  return { inputText: context.execution.inputText, ending: null };
}

function endedParts(
  machine: Machine,
  { name }: Summary,
): { readonly inputText: string; readonly ending: Ending | null } {
  const { start, ending } = readJournal(machine.journalPath(name));
  return { inputText: start.input, ending };
}

function endingMembers(ending: Ending | null): Record<string, unknown> {
  if (ending === null) return {};
  if (ending.status === 'SUCCEEDED') return { output: ending.output, outputDetails: { included: true } };
  const { error, cause } = ending;
  return { ...(error === null ? {} : { error }), ...(cause === null ? {} : { cause }) };
}

function checkedInput(input: string): string {
  if (sizeBytes(input) > MAX_PAYLOAD_BYTES) throw validation(`input: longer than ${MAX_PAYLOAD_BYTES} bytes`);
  try {
    JSON.parse(input);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidExecutionInput(error.message);
    throw error;
  }
  return input;
}
