// What becomes of an error: a retry, a catcher, the Map state around, or the end of the execution.
import { EvaluationFailure, StateFailure } from '../failure.ts';
import type { Json } from '../json.ts';
import type { Draft } from './draft.ts';
import { depart, leaveState, stateOf } from './flow.ts';
import type { Frame } from './frame.ts';
import { errorDetails } from './history.ts';
import { abortIterations, dropIterations } from './iterations.ts';
import { matchesError, nextRetry } from './retry.ts';
import { scopeOf } from './scope.ts';

/** Runs a step of a frame's state; an error that the state reports is handled as the definition says. */
export async function attempt(draft: Draft, frameId: string, step: () => Promise<void> | void): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    await failState(draft, frameId, error);
  }
}

/** The frame's state reports `failure`; events of the task itself, such as TaskFailed, are noted already. */
export async function failState(draft: Draft, frameId: string, failure: StateFailure): Promise<void> {
  const frame = noteEvaluationFailure(draft, draft.frame(frameId), failure);
  const state = stateOf(draft, frame.state);
  if (!('retry' in state)) return propagate(draft, frame, failure);
  if (state.type === 'Map') {
    abortIterations(draft, frame);
    dropIterations(draft, frame);
  }
  const retry = nextRetry(state.retry, frame.retries, failure.error, draft.context.environment.random);
  if (retry !== undefined) {
    const untilMs = draft.nowMs + retry.delayMs;
    draft.put({ ...frame, retries: retry.counts, phase: { kind: 'retrying', untilMs } });
    return;
  }
  const given = state.type === 'Map' ? draft.event(frame, 'MapStateFailed') : frame;
  const uncaught = await catchFailure(draft, given, failure);
  if (uncaught !== null) await propagate(draft, draft.frame(frameId), uncaught);
}

/** Tries the Catchers; returns what is left to propagate: the failure, or that of the Catcher's own fields. */
async function catchFailure(draft: Draft, frame: Frame, failure: StateFailure): Promise<StateFailure | null> {
  const state = stateOf(draft, frame.state);
  const catchers = 'catch' in state ? state.catch : [];
  const catcher = catchers.find(({ errorEquals }) => matchesError(errorEquals, failure.error));
  if (catcher === undefined) return failure;
  const errorOutput: Json = { Error: failure.error ?? null, Cause: failure.reason ?? null };
  try {
    const scope = scopeOf(draft, frame, { errorOutput });
    leaveState(draft, frame, await depart(catcher, scope, errorOutput, catcher.next));
    return null;
  } catch (error) {
    if (!(error instanceof StateFailure)) throw error;
    noteEvaluationFailure(draft, frame, error);
    return error;
  }
}

/** No one took the error in this scope: the Map state around fails, or the execution. */
async function propagate(draft: Draft, frame: Frame, failure: StateFailure): Promise<void> {
  if (frame.iteration !== null) {
    const { parentId, index } = frame.iteration;
    draft.event(frame, 'MapIterationFailed', { name: draft.frame(parentId).state, index });
    dropIterations(draft, frame);
    draft.drop(frame.id);
    // A plain failure: where an evaluation went wrong is noted once, in its own state.
    await failState(draft, parentId, new StateFailure(failure.error, failure.reason));
    return;
  }
  const error = failure.error ?? null;
  const cause = failure.reason === undefined || failure.reason === '' ? null : failure.reason;
  draft.executionEvent(frame.lastEventId, 'ExecutionFailed', errorDetails(error, cause));
  draft.end({ status: 'FAILED', stopMs: draft.eventMs, error, cause });
}

function noteEvaluationFailure(draft: Draft, frame: Frame, failure: StateFailure): Frame {
  if (!(failure instanceof EvaluationFailure)) return frame;
  const details = errorDetails(failure.error, failure.reason);
  return draft.event(frame, 'EvaluationFailed', { state: frame.state, location: failure.location, ...details });
}
