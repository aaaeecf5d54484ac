// Errors of the Step Functions API, by the names that SDK clients know.

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The exception's name in the service model. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export const stateMachineDoesNotExist = (arn: string) =>
  new ApiError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
export const executionDoesNotExist = (arn: string) =>
  new ApiError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
export const executionAlreadyExists = (arn: string) =>
  new ApiError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
export const invalidArn = (arn: string) => new ApiError('InvalidArn', `Invalid Arn: '${arn}'`);
export const invalidName = (name: string) =>
  new ApiError(
    'InvalidName',
    `Invalid Name: '${name}'; use 1 to 80 characters without white space, brackets and "#%\\^|~\`$&,;:/?*`,
  );
export const invalidExecutionInput = (reason: string) =>
  new ApiError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`);
export const invalidOutput = (reason: string) => new ApiError('InvalidOutput', `Invalid Output: '${reason}'`);
export const invalidToken = () => new ApiError('InvalidToken', "Invalid Token: 'Invalid token'");
export const taskDoesNotExist = () => new ApiError('TaskDoesNotExist', 'Task Does Not Exist');
export const taskTimedOut = () =>
  new ApiError('TaskTimedOut', 'Task Timed Out: the task has ended, has timed out or was retried with another token');
export const validation = (message: string) => new ApiError('ValidationException', message);
