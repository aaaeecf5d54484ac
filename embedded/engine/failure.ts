// Errors of the States Language: what a state reports, and what Retry and Catch match.

export const STATES_ALL = 'States.ALL';
export const STATES_TASK_FAILED = 'States.TaskFailed';
export const STATES_TIMEOUT = 'States.Timeout';
export const STATES_RUNTIME = 'States.Runtime';
export const STATES_DATA_LIMIT = 'States.DataLimitExceeded';
export const STATES_QUERY_EVALUATION = 'States.QueryEvaluationError';
export const STATES_NO_CHOICE = 'States.NoChoiceMatched';

/** The reserved names that an ErrorEquals may hold (States Language, appendix A, and the Step Functions guide). */
export const RESERVED_ERRORS: ReadonlySet<string> = new Set([
  STATES_ALL,
  STATES_TASK_FAILED,
  STATES_TIMEOUT,
  STATES_RUNTIME,
  STATES_DATA_LIMIT,
  STATES_QUERY_EVALUATION,
  STATES_NO_CHOICE,
  'States.HeartbeatTimeout',
  'States.Permissions',
  'States.BranchFailed',
  'States.ExceedToleratedFailureThreshold',
  'States.ItemReaderFailed',
  'States.ResultWriterFailed',
]);

/** A state reports an error; `error` is undefined when a task failed without naming one. */
export class StateFailure extends Error {
  override readonly name: string = 'StateFailure';
  readonly error: string | undefined;
  readonly reason: string | undefined;

  constructor(error: string | undefined, reason: string | undefined) {
    super(`${error ?? 'unnamed error'}: ${reason ?? 'no cause given'}`);
    this.error = error;
    this.reason = reason;
  }
}

/** A field could not be evaluated; `location` is its path inside the state, such as `Output/error`. */
export class EvaluationFailure extends StateFailure {
  override readonly name = 'EvaluationFailure';
  readonly location: string;

  constructor(location: string, reason: string) {
    super(STATES_QUERY_EVALUATION, reason);
    this.location = location;
  }
}

export function dataLimitExceeded(what: string): StateFailure {
  return new StateFailure(STATES_DATA_LIMIT, `${what} is larger than 262144 bytes; pass a reference instead.`);
}
