// Entering and leaving states: the events, the variables, and what comes next.
import type { Effects, State } from '../definition/types.ts';
import { evaluate, type Scope } from '../expressions/evaluate.ts';
import { dataLimitExceeded } from '../failure.ts';
import { type Json, MAX_PAYLOAD_BYTES, sizeBytes } from '../json.ts';
import type { Draft } from './draft.ts';
import { type Frame, type Iteration, MAIN_FRAME } from './frame.ts';
import { inputDetails, outputDetails } from './history.ts';

/** The total size of the variables of an execution that Step Functions allows, in bytes. */
const MAX_VARIABLES_BYTES = 10 * 1024 * 1024;

export interface Departure {
  readonly output: Json;
  readonly assigned: Readonly<Record<string, Json>>;
  /** Null at the end of the scope. */
  readonly next: string | null;
}

/** Evaluates Output and Assign, both with the values that the variables had at entry. */
export async function depart(
  effects: Effects,
  scope: Scope,
  defaultOutput: Json,
  next: string | null,
): Promise<Departure> {
  const output = effects.output === undefined ? defaultOutput : await evaluate(effects.output, scope);
  const assigned: [string, Json][] = [];
  for (const [name, template] of effects.assign) assigned.push([name, await evaluate(template, scope)]);
  return { output, assigned: Object.fromEntries(assigned), next };
}

/** Leaves the frame's state and enters the next one, or ends the iteration or the execution. */
export function leaveState(draft: Draft, frame: Frame, { output, assigned, next }: Departure): void {
  const outputText = payloadText(output, `the output of the state '${frame.state}'`);
  const variables = { ...frame.variables, ...assigned };
  const assignedTexts = Object.entries(assigned).map(([name, value]) => [name, JSON.stringify(value)] as const);
  checkVariables(frame, assigned, variables);
  const left = draft.event(frame, `${stateOf(draft, frame.state).type}StateExited`, {
    name: frame.state,
    ...outputDetails(outputText),
    ...(assignedTexts.length === 0
      ? {}
      : { assignedVariables: Object.fromEntries(assignedTexts), assignedVariablesDetails: { truncated: false } }),
  });
  if (next !== null) {
    enterState(draft, { ...left, variables }, next, output, outputText);
    return;
  }
  if (left.iteration !== null) {
    endIteration(draft, left, left.iteration, output);
    return;
  }
  draft.executionEvent(left.lastEventId, 'ExecutionSucceeded', outputDetails(outputText));
  draft.end({ status: 'SUCCEEDED', stopMs: draft.eventMs, output: outputText });
}

/** Enters a state; `inputText` is the input as JSON. */
export function enterState(draft: Draft, frame: Frame, state: string, input: Json, inputText: string): void {
  const type = `${stateOf(draft, state).type}StateEntered`;
  const entered = draft.event({ ...frame, state }, type, { name: state, ...inputDetails(inputText) });
  draft.put({
    ...entered,
    input,
    enteredAtMs: draft.nextEntryMs(),
    enteredEventId: entered.lastEventId,
    retries: [],
    phase: { kind: 'entered' },
  });
}

/** Notes the start of an execution and enters its first state. */
export function beginExecution(draft: Draft): void {
  const { execution, machine } = draft.context;
  draft.executionEvent(0, 'ExecutionStarted', {
    ...inputDetails(execution.inputText),
    roleArn: execution.roleArn,
  });
  // As on AWS, the first state follows event 0, not ExecutionStarted.
  const frame = newFrame(MAIN_FRAME, null, 0);
  enterState(draft, frame, machine.definition.startAt, execution.input, JSON.stringify(execution.input));
}

/** A frame that has yet to enter its first state. */
export function newFrame(id: string, iteration: Iteration | null, lastEventId: number): Frame {
  return {
    id,
    iteration,
    state: '',
    input: null,
    variables: {},
    enteredAtMs: 0,
    enteredEventId: 0,
    lastEventId,
    retries: [],
    phase: { kind: 'entered' },
  };
}

/** The compiled state. Throws when the definition has none of that name: journal and definition do not fit. */
export function stateOf({ context }: Pick<Draft, 'context'>, name: string): State {
  const { definition } = context.machine;
  const state = definition.states.get(name);
  if (state !== undefined) return state;
  throw new Error(`The execution ${context.execution.arn} is in the state '${name}', which is not defined`);
}

/** JSON text of a payload. Throws States.DataLimitExceeded above 256 KiB; `what` names it in the cause. */
export function payloadText(value: Json, what: string): string {
  const text = JSON.stringify(value);
  if (sizeBytes(text) > MAX_PAYLOAD_BYTES) throw dataLimitExceeded(what);
  return text;
}

function endIteration(draft: Draft, frame: Frame, iteration: Iteration, output: Json): void {
  const name = draft.frame(iteration.parentId).state;
  const ended = draft.event(frame, 'MapIterationSucceeded', { name, index: iteration.index });
  draft.put({ ...ended, variables: {}, input: null, phase: { kind: 'iterated', output } });
}

function checkVariables(frame: Frame, assigned: Record<string, Json>, all: Record<string, Json>): void {
  if (Object.keys(assigned).length === 0) return;
  payloadText(assigned, `what the state '${frame.state}' assigns`);
  if (sizeBytes(JSON.stringify(all)) > MAX_VARIABLES_BYTES) {
    throw dataLimitExceeded(`the sum of all variables after the state '${frame.state}'`);
  }
}
