import {
  InvalidToken,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  TaskDoesNotExist,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import type { TaskResults } from '../domain/ports.ts';

/** Longest cause that SendTaskFailure takes, in characters (Step Functions API reference). */
const MAX_CAUSE = 32_768;

const told = async (call: Promise<unknown>): Promise<'told' | 'rejected'> => {
  try {
    await call;
    return 'told';
  } catch (error) {
    if (error instanceof TaskTimedOut || error instanceof TaskDoesNotExist || error instanceof InvalidToken)
      return 'rejected';
    throw error;
  }
};

export const stepFunctionsTaskResults = (client: SFNClient): TaskResults => ({
  succeed: (token, output) =>
    told(client.send(new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify(output) }))),
  fail: (token, failure) =>
    told(
      client.send(
        new SendTaskFailureCommand({
          taskToken: token,
          error: failure.code,
          cause: JSON.stringify({ errorType: failure.code, errorMessage: failure.message }).slice(0, MAX_CAUSE),
        }),
      ),
    ),
});
