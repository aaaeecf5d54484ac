import { types } from 'node:util';

/** What a failed invocation looks like from outside, in the shape of the Node runtime of AWS Lambda. */

export interface FunctionError {
  /** The thrown error's `name`: what state machines catch by. */
  readonly errorType: string;
  readonly errorMessage: string;
  /** Empty when the function did not throw (a time-out). */
  readonly trace: readonly string[];
}

export const fromThrown = (thrown: unknown): FunctionError => {
  if (types.isNativeError(thrown) || thrown instanceof Error) {
    return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') };
  }
  return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
};

export const timedOut = (requestId: string, timeoutMs: number): FunctionError => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
  trace: [],
});

/** For callers that want a failed function as a rejected promise. */
export class FunctionFailed extends Error {
  readonly functionError: FunctionError;

  constructor(functionName: string, functionError: FunctionError) {
    super(`Function ${functionName} failed: ${functionError.errorType}: ${functionError.errorMessage}`);
    this.name = 'FunctionFailed';
    this.functionError = functionError;
  }
}
