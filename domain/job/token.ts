import { already, type Decision, write } from '../decision.ts';

/** The task token that waits for a job's result, in an item of its own beside the job. */
export interface TaskToken {
  readonly hostId: string;
  readonly jobId: string;
  readonly token: string;
  /** When the state was entered and how often it was retried: a token of an older entry never replaces a newer one. */
  readonly enteredAtMs: number;
  readonly retryCount: number;
  /** True when the state machine has heard the result with this token, or has no use for it any more. */
  readonly acked: boolean;
}

const olderThan = (a: TaskToken, b: TaskToken): boolean =>
  a.enteredAtMs < b.enteredAtMs || (a.enteredAtMs === b.enteredAtMs && a.retryCount < b.retryCount);

/** Dispatch's write: only over an older token. */
export const offerToken =
  (offered: TaskToken) =>
  (stored: TaskToken): Decision<TaskToken> =>
    stored.token !== offered.token && olderThan(stored, offered) ? write(offered) : already(stored);

/** Set only while the token is still the one that was answered. */
export const ackToken =
  (token: string) =>
  (stored: TaskToken): Decision<TaskToken> =>
    stored.token === token && !stored.acked ? write({ ...stored, acked: true }) : already(stored);
