// Endings that do not come from a state: StopExecution, the machine's time-out, too long a history.
import { STATES_RUNTIME } from '../failure.ts';
import type { Draft } from './draft.ts';
import type { Transition } from './frame.ts';
import { errorDetails, MAX_EVENTS } from './history.ts';

export function endFromOutside(
  draft: Draft,
  status: 'ABORTED' | 'TIMED_OUT',
  error: string | null,
  cause: string | null,
): void {
  const type = status === 'ABORTED' ? 'ExecutionAborted' : 'ExecutionTimedOut';
  draft.executionEvent(0, type, errorDetails(error, cause));
  draft.end({ status, stopMs: draft.eventMs, error, cause });
}

/** Takes the place of a transition that would exceed the longest history. */
export function endTooLong(draft: Draft): Transition {
  const cause = `The execution has reached the limit of ${MAX_EVENTS} history events; split it into several.`;
  draft.executionEvent(0, 'ExecutionFailed', errorDetails(STATES_RUNTIME, cause));
  draft.end({ status: 'FAILED', stopMs: draft.eventMs, error: STATES_RUNTIME, cause });
  return draft.finish();
}
