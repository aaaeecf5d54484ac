// Everything the engine takes from outside.
import type { Clock } from './clock.ts';
import type { PutEvents } from './resources/events.ts';
import type { InvokeLambda } from './resources/lambda.ts';
import type { ExecutionStatus } from './run/frame.ts';

export interface EngineDependencies {
  /** Holds a folder for each state machine; made when it is missing. One engine at a time may use it. */
  readonly directory: string;
  /** The system's clock when left out. */
  readonly clock?: Clock;
  /** A number in [0, 1), for jitter and `$random()`. */
  readonly random: () => number;
  /** A fresh UUID, for `$uuid()` and for executions started without a name. */
  readonly newId: () => string;
  /** A fresh string of letters, digits, `-` and `_` that cannot be guessed (128 bits at least). */
  readonly randomToken: () => string;
  readonly invokeLambda: InvokeLambda;
  readonly putEvents: PutEvents;
  /** Called after each change of an execution's status has been written. Delivery is best effort, as on AWS. */
  readonly onStatusChange: (detail: StatusChangeDetail) => void;
  /**
   * An execution cannot go on: its journal cannot be written, or the engine has a fault. It stays where its journal
   * ends until the next start; the right answer is to say so and to end the process.
   */
  readonly onFault: (error: Error) => void;
  readonly region?: string;
  readonly accountId?: string;
}

/** The detail of the event "Step Functions Execution Status Change" of source `aws.states`; times in ms since 1970. */
export interface StatusChangeDetail {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate: number | null;
  readonly input: string;
  readonly inputDetails: { readonly included: boolean };
  readonly output: string | null;
  readonly outputDetails: { readonly included: boolean } | null;
  readonly error: string | null;
  readonly cause: string | null;
  readonly stateMachineVersionArn: null;
  readonly stateMachineAliasArn: null;
  readonly redriveCount: number;
  readonly redriveDate: null;
  readonly redriveStatus: 'NOT_REDRIVABLE';
  readonly redriveStatusReason: string;
}
