import type { Failure } from './error.ts';
import type { VolmoveEvent } from './event.ts';

/** What use cases ask of the world around them. Implementations: aws/ for the real services, fakes in test/. */

export interface Clock {
  nowMs(): number;
}

export interface Notifier {
  /** At least once; a repeat of an event carries the same sequence number. */
  notify(events: readonly VolmoveEvent[]): Promise<void>;
}

/** Task results. `rejected`: the state machine does not wait for this token (any more); that counts as told. */
export interface TaskResults {
  succeed(token: string, output: object): Promise<'told' | 'rejected'>;
  fail(token: string, failure: Failure): Promise<'told' | 'rejected'>;
}

export interface HostQueues {
  /** Says "look" to a host's agent: only a hint, nothing depends on its arrival. */
  look(hostId: string): Promise<void>;
}

export type Machine = 'migrate-volume' | 'volume-job';

export interface Executions {
  /** Idempotent by name: an execution that was started before is left alone. */
  start(machine: Machine, name: string, input: object): Promise<'started' | 'existed'>;
  /** Undefined when there is no execution of that name. */
  status(machine: Machine, name: string): Promise<ExecutionStatus | undefined>;
}

export interface ExecutionStatus {
  readonly state: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';
  readonly cause: string;
}
