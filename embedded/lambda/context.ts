import type { Context } from 'aws-lambda';

/** The context object a handler is called with. */

export interface ContextParts {
  readonly functionName: string;
  readonly requestId: string;
  readonly region: string;
  readonly accountId: string;
  readonly startedMs: number;
  readonly deadlineMs: number;
  readonly nowMs: () => number;
}

const MEMORY_MIB = '512';
const VERSION = '$LATEST';

export const makeContext = (parts: ContextParts): Context => {
  const { functionName, requestId, region, accountId } = parts;
  const day = new Date(parts.startedMs).toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    awsRequestId: requestId,
    functionName,
    functionVersion: VERSION,
    invokedFunctionArn: `arn:aws:lambda:${region}:${accountId}:function:${functionName}`,
    memoryLimitInMB: MEMORY_MIB,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: `${day}/[${VERSION}]embedded`,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, parts.deadlineMs - parts.nowMs()),
    done: refuse('done'),
    fail: refuse('fail'),
    succeed: refuse('succeed'),
  };
};

const refuse = (method: string) => (): never => {
  throw new Error(
    `context.${method} is not supported: return a value or throw, as the Node 24 runtime of AWS Lambda wants it.`,
  );
};
