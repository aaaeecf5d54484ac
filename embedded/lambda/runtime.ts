import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import { AwsError } from '../front/aws-wire.ts';
import { makeContext } from './context.ts';
import { type FunctionError, FunctionFailed, fromThrown, timedOut } from './function-error.ts';

/**
 * Invokes handlers in this process as AWS Lambda would: the payload goes through JSON both ways, the time-out is a race. A handler
 * that loses the race cannot be stopped and runs on unheard; handlers must bound their own waits by the context's remaining time.
 */

export interface LambdaFunction {
  /** `never`: any event type is accepted here; what arrives is whatever the caller sent. */
  readonly handler: (event: never, context: Context) => unknown;
  readonly timeoutMs: number;
}

export interface LambdaClock {
  nowMs(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Invocation {
  readonly functionName: string;
  readonly requestId: string;
}

export interface LambdaOptions {
  readonly functions: Readonly<Record<string, LambdaFunction>>;
  readonly region: string;
  readonly accountId: string;
  readonly clock?: LambdaClock;
  readonly newId?: () => string;
  /** Told of every failed invocation, whoever called: the place to log it. */
  readonly onFunctionError?: (invocation: Invocation, error: FunctionError) => void;
}

export type InvokeResult = { readonly payload: unknown } | FunctionError;

export interface LambdaRuntime {
  readonly has: (functionName: string) => boolean;
  /**
   * Resolves for a failed function too. Rejects with AwsError `ResourceNotFoundException` for an unknown one, and with the
   * signal's reason when the caller gave up (the handler runs on).
   */
  readonly invoke: (functionName: string, payload: unknown, signal?: AbortSignal) => Promise<InvokeResult>;
  /** As invoke, but a failed function is a rejection (FunctionFailed). */
  readonly invokeOrThrow: (functionName: string, payload: unknown, signal?: AbortSignal) => Promise<unknown>;
}

/** A response above this is an error on AWS, so it is one here. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024 + 100;

const realClock: LambdaClock = {
  nowMs: Date.now,
  sleep: (ms, signal) => wait(ms, undefined, { signal, ref: false }),
};

export const isFunctionError = (result: InvokeResult): result is FunctionError => 'errorType' in result;

export const createLambdaRuntime = (options: LambdaOptions): LambdaRuntime => {
  const { clock = realClock, newId = randomUUID } = options;
  const functions = new Map(Object.entries(options.functions));

  const invoke: LambdaRuntime['invoke'] = async (functionName, payload, signal) => {
    const found = functions.get(functionName);
    if (!found) throw notFound(options, functionName);
    signal?.throwIfAborted();
    const requestId = newId();
    const startedMs = clock.nowMs();
    const deadlineMs = startedMs + found.timeoutMs;
    const context = makeContext({
      ...options,
      functionName,
      requestId,
      startedMs,
      deadlineMs,
      nowMs: () => clock.nowMs(),
    });
    const failed = (error: FunctionError): FunctionError => {
      options.onFunctionError?.({ functionName, requestId }, error);
      return error;
    };
    return await firstOf({
      handler: run(found, toJson(payload ?? {}), context, failed),
      timeOut: (answered) => clock.sleep(found.timeoutMs, answered),
      timedOut: () => failed(timedOut(requestId, found.timeoutMs)),
      callerGone: signal,
    });
  };

  return {
    has: (functionName) => functions.has(functionName),
    invoke,
    async invokeOrThrow(functionName, payload, signal) {
      const result = await invoke(functionName, payload, signal);
      if (isFunctionError(result)) throw new FunctionFailed(functionName, result);
      return result.payload;
    },
  };
};

const notFound = ({ region, accountId }: LambdaOptions, name: string): AwsError =>
  new AwsError(
    'ResourceNotFoundException',
    `Function not found: arn:aws:lambda:${region}:${accountId}:function:${name}`,
    {
      status: 404,
    },
  );

const toJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** A failure is told even when nobody waits for it any more. */
const run = async (
  { handler }: LambdaFunction,
  event: unknown,
  context: Context,
  failed: (error: FunctionError) => FunctionError,
): Promise<InvokeResult> => {
  try {
    const text = serialize(await handler(event as never, context));
    const sizeBytes = Buffer.byteLength(text);
    return sizeBytes > MAX_PAYLOAD_BYTES ? failed(tooLarge(sizeBytes)) : { payload: JSON.parse(text) };
  } catch (thrown) {
    return failed(fromThrown(thrown));
  }
};

/** Undefined, and a function as a value, become null as on AWS. */
const serialize = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (cause) {
    throw new Error('Unable to stringify response body', { cause });
  }
};

const tooLarge = (sizeBytes: number): FunctionError => ({
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: `Response payload size (${sizeBytes} bytes) exceeded maximum allowed payload size (${MAX_PAYLOAD_BYTES} bytes).`,
  trace: [],
});

interface Race {
  /** Never rejects. */
  readonly handler: Promise<InvokeResult>;
  readonly timeOut: (answered: AbortSignal) => Promise<void>;
  readonly timedOut: () => FunctionError;
  readonly callerGone: AbortSignal | undefined;
}

/** The handler, the clock or the caller's impatience: whichever comes first; the clock's timer never outlives the answer. */
const firstOf = ({ handler, timeOut, timedOut, callerGone }: Race): Promise<InvokeResult> =>
  new Promise((resolve, reject) => {
    const answered = new AbortController();
    const answer = (result: InvokeResult): void => {
      answered.abort();
      resolve(result);
    };
    void handler.then(answer);
    timeOut(answered.signal).then(
      () => answer(timedOut()),
      (error: unknown) => {
        if (!answered.signal.aborted) reject(error as Error);
      },
    );
    const giveUp = (): void => {
      reject(callerGone?.reason as Error);
      answered.abort();
    };
    callerGone?.addEventListener('abort', giveUp, { once: true, signal: answered.signal });
  });
