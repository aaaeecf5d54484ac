// lambda:invoke: calls a function and gives its result in the shape of the Lambda API.
import { StateFailure } from '../failure.ts';
import type { Json, JsonObject } from '../json.ts';

export interface LambdaError {
  /** The name of the error that the function threw; it becomes the error of the state. */
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace: readonly string[];
}

/**
 * Calls a function by its name. Resolves with its answer, or with what it threw; rejects when it could not be
 * called. `signal` is aborted when the engine closes, never by a time-out of the state: Lambda goes on, too.
 */
export type InvokeLambda = (
  functionName: string,
  payload: Json,
  signal: AbortSignal,
) => Promise<{ readonly payload: unknown } | LambdaError>;

export async function callLambda(invoke: InvokeLambda, given: JsonObject, signal: AbortSignal): Promise<Json> {
  const nameOrArn = given.FunctionName;
  const name = functionName(typeof nameOrArn === 'string' ? nameOrArn : '');
  let answer: Awaited<ReturnType<InvokeLambda>>;
  try {
    // A copy: a handler in the same process may change its event.
    answer = await invoke(name, structuredClone(given.Payload ?? {}), signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StateFailure('Lambda.ServiceException', `The function '${name}' could not be called: ${reason}`);
  }
  if ('errorType' in answer) {
    const { errorType, errorMessage, trace } = answer;
    throw new StateFailure(errorType, JSON.stringify({ errorType, errorMessage, trace }));
  }
  return { ExecutedVersion: '$LATEST', Payload: jsonOf(answer.payload), StatusCode: 200 };
}

/** `arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`, or the name itself. */
function functionName(nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? (nameOrArn.split(':')[6] ?? nameOrArn) : nameOrArn;
}

/** What the Lambda runtime makes of a returned value: JSON, and null for nothing. */
function jsonOf(value: unknown): Json {
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? null : (JSON.parse(text) as Json);
}
