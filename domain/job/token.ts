import { already, type Decision, write } from '../decision.ts';
import type { Job } from './job.ts';

/** The task token that waits for a job's result; the first stands in the job, an answered or a newer one beside it. */
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

/** Whom the job was made for; undefined when nobody waited then. */
export const firstToken = ({ hostId, id, waiting }: Job): TaskToken | undefined =>
  waiting && { hostId, jobId: id, ...waiting, acked: false };

export const olderThan = (a: TaskToken, b: TaskToken): boolean =>
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
