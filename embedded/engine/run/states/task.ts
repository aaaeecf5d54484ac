// Task: the call goes out after the transition is written; its answer, the token's or the time-out comes back here.
import type { TaskState } from '../../definition/types.ts';
import { evaluate, evaluateAs } from '../../expressions/evaluate.ts';
import { dataLimitExceeded, STATES_TIMEOUT, StateFailure } from '../../failure.ts';
import { type Json, MAX_PAYLOAD_BYTES, sizeBytes } from '../../json.ts';
import { checkArguments } from '../../resources/arguments.ts';
import type { Draft } from '../draft.ts';
import { attempt, failState } from '../failing.ts';
import { depart, leaveState, payloadText } from '../flow.ts';
import type { Frame } from '../frame.ts';
import { errorDetails, outputDetails } from '../history.ts';
import { scopeOf } from '../scope.ts';
import { wholeSeconds } from './seconds.ts';

export async function beginTask(draft: Draft, frame: Frame, state: TaskState): Promise<void> {
  // Every attempt has a token of its own, so that the answer to an earlier one comes too late.
  const token = state.resource.waitsForToken ? draft.context.newToken() : null;
  const scope = scopeOf(draft, frame, token === null ? {} : { token });
  const given = state.arguments === undefined ? frame.input : await evaluate(state.arguments, scope);
  checkArguments(state.resource, given);
  const parameters = payloadText(given, `the Arguments of the state '${state.name}'`);
  let timeoutSeconds: number | null = null;
  if (state.timeoutSeconds !== undefined) {
    const field = { name: 'TimeoutSeconds', template: state.timeoutSeconds, expected: 'a whole number above 0' };
    timeoutSeconds = await evaluateAs(field, scope, (value) => wholeSeconds(value, 1));
  }
  const scheduled = draft.event(frame, 'TaskScheduled', {
    ...resourceDetails(state),
    region: draft.context.region,
    parameters,
    ...(timeoutSeconds === null ? {} : { timeoutInSeconds: timeoutSeconds }),
  });
  const started = draft.event(scheduled, 'TaskStarted', resourceDetails(state));
  const deadlineMs = timeoutSeconds === null ? null : draft.nowMs + timeoutSeconds * 1000;
  draft.put({ ...started, phase: { kind: 'calling', arguments: given, token, deadlineMs } });
}

/** The call was answered. A state that waits for its token goes on waiting. */
export async function taskAnswered(draft: Draft, frame: Frame, state: TaskState, result: Json): Promise<void> {
  if (frame.phase.kind !== 'calling' || frame.phase.token === null) return taskSucceeded(draft, frame, state, result);
  const { token, deadlineMs } = frame.phase;
  const text = JSON.stringify(result);
  if (tooLarge(text)) return taskFailed(draft, frame, state, resultTooLarge(state));
  const submitted = draft.event(frame, 'TaskSubmitted', { ...resourceDetails(state), ...outputDetails(text) });
  draft.put({ ...submitted, phase: { kind: 'awaiting', token, deadlineMs } });
}

/** The task has its result: from the call, or from SendTaskSuccess. */
export async function taskSucceeded(draft: Draft, frame: Frame, state: TaskState, result: Json): Promise<void> {
  const text = JSON.stringify(result);
  if (tooLarge(text)) return taskFailed(draft, frame, state, resultTooLarge(state));
  const succeeded = draft.event(frame, 'TaskSucceeded', { ...resourceDetails(state), ...outputDetails(text) });
  await attempt(draft, frame.id, async () => {
    const scope = scopeOf(draft, succeeded, { result });
    leaveState(draft, succeeded, await depart(state, scope, result, state.next));
  });
}

/** The call failed, or SendTaskFailure said so. */
export async function taskFailed(draft: Draft, frame: Frame, state: TaskState, failure: StateFailure): Promise<void> {
  const details = { ...resourceDetails(state), ...errorDetails(failure.error, failure.reason) };
  const failed = draft.event(frame, 'TaskFailed', details);
  await failState(draft, failed.id, failure);
}

export async function taskTimedOut(draft: Draft, frame: Frame, state: TaskState): Promise<void> {
  draft.event(frame, 'TaskTimedOut', { ...resourceDetails(state), error: STATES_TIMEOUT });
  await failState(draft, frame.id, new StateFailure(STATES_TIMEOUT, ''));
}

function resourceDetails({ resource }: TaskState) {
  return { resourceType: resource.resourceType, resource: resource.resource };
}

function tooLarge(text: string): boolean {
  return sizeBytes(text) > MAX_PAYLOAD_BYTES;
}

function resultTooLarge({ name }: TaskState): StateFailure {
  return dataLimitExceeded(`the result of the task of the state '${name}'`);
}
