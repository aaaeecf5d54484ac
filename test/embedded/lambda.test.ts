import { InvokeCommand, ResourceNotFoundException } from '@aws-sdk/client-lambda';
import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import type { FunctionError } from '../../embedded/lambda/function-error.ts';
import { createLambdaRuntime, type LambdaClock, type LambdaFunction } from '../../embedded/lambda/runtime.ts';
import { account, rejection, startCloud, until } from './cloud.ts';

/** A clock that stands still; a sleep ends when the time is set past it. */
const fakeClock = () => {
  let nowMs = Date.parse('2026-11-24T10:00:00Z');
  const sleepers = new Set<{ untilMs: number; wake: () => void }>();
  const clock: LambdaClock = {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        const sleeper = { untilMs: nowMs + ms, wake };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      }),
  };
  const advance = (ms: number): void => {
    nowMs += ms;
    for (const sleeper of sleepers) if (sleeper.untilMs <= nowMs) sleeper.wake();
  };
  return { clock, advance, sleeping: () => sleepers.size };
};

const runtimeWith = (handler: LambdaFunction['handler'], timeoutMs = 3000) => {
  const { clock, advance, sleeping } = fakeClock();
  const failed: FunctionError[] = [];
  const runtime = createLambdaRuntime({
    ...account,
    functions: { f: { handler, timeoutMs } },
    clock,
    newId: () => 'request-1',
    onFunctionError: (_invocation, error) => failed.push(error),
  });
  return { runtime, advance, sleeping, failed };
};

class NoSpace extends Error {
  override readonly name = 'NoSpace';
}

describe('invoking a function', () => {
  it('passes the payload and the result through JSON', async () => {
    const shared = { at: new Date(0), gone: undefined, list: [undefined] };
    const { runtime } = runtimeWith((event: { changed?: boolean }) => {
      event.changed = true;
      return { event, done: undefined, at: new Date(0) };
    });

    const result = await runtime.invoke('f', shared);

    const at = '1970-01-01T00:00:00.000Z';
    expect(result).toEqual({ payload: { event: { at, list: [null], changed: true }, at } });
    expect(shared).not.toHaveProperty('changed');
  });

  it('gives null for a function that returns nothing, and an empty event for no payload', async () => {
    const seen: unknown[] = [];
    const { runtime } = runtimeWith((event: unknown) => void seen.push(event));

    const result = await runtime.invoke('f', undefined);

    expect(result).toEqual({ payload: null });
    expect(seen).toEqual([{}]);
  });

  it('hands over a context with the time that is left', async () => {
    const contexts: Context[] = [];
    const { runtime, advance } = runtimeWith((_event: unknown, context) => {
      contexts.push(context);
      const beforeMs = context.getRemainingTimeInMillis();
      advance(1000);
      return [beforeMs, context.getRemainingTimeInMillis()];
    });

    const result = await runtime.invoke('f', {});

    expect(result).toEqual({ payload: [3000, 2000] });
    expect(contexts[0]).toMatchObject({
      awsRequestId: 'request-1',
      functionName: 'f',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
      logGroupName: '/aws/lambda/f',
      logStreamName: '2026/11/24/[$LATEST]embedded',
      callbackWaitsForEmptyEventLoop: true,
    });
    expect(() => contexts[0]?.succeed({})).toThrow('not supported');
  });

  it('tells a thrown error by its name, and whatever else was thrown by its type', async () => {
    const { runtime, failed } = runtimeWith((event: { text: boolean }) => {
      if (event.text) return Promise.reject('no space');
      throw new NoSpace('pool is full');
    });

    const error = await runtime.invoke('f', { text: false });
    const text = await runtime.invoke('f', { text: true });

    expect(error).toMatchObject({ errorType: 'NoSpace', errorMessage: 'pool is full' });
    expect(error).toHaveProperty('trace.0', expect.stringContaining('pool is full'));
    expect(text).toEqual({ errorType: 'string', errorMessage: 'no space', trace: [] });
    expect(failed).toEqual([error, text]);
  });

  it('ends in Sandbox.Timedout when the time is over, and still tells what became of the handler', async () => {
    const late = Promise.withResolvers<never>();
    const { runtime, advance, failed } = runtimeWith(() => late.promise);

    const invocation = runtime.invoke('f', {});
    advance(3000);
    const result = await invocation;
    late.reject(new NoSpace('too late'));
    await until(() => failed.length === 2);

    expect(result).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: 'RequestId: request-1 Error: Task timed out after 3.00 seconds',
      trace: [],
    });
    expect(failed.map(({ errorType }) => errorType)).toEqual(['Sandbox.Timedout', 'NoSpace']);
  });

  it('leaves no timer behind', async () => {
    const { runtime, sleeping } = runtimeWith(() => 1);

    await runtime.invoke('f', {});

    expect(sleeping()).toBe(0);
  });

  it('rejects when the caller gives up, for an unknown function, and as asked for a failed one', async () => {
    const gone = new AbortController();
    const { runtime } = runtimeWith((event: { fail?: boolean }) => {
      if (event.fail) throw new NoSpace('pool is full');
      return new Promise(() => undefined);
    });

    const left = rejection(runtime.invoke('f', {}, gone.signal));
    gone.abort(new Error('closing'));
    const unknown = await rejection(runtime.invoke('g', {}));
    const failed = await rejection(runtime.invokeOrThrow('f', { fail: true }));

    expect((await left).message).toBe('closing');
    expect(unknown.name).toBe('ResourceNotFoundException');
    expect(failed.message).toBe('Function f failed: NoSpace: pool is full');
  });

  it('fails when the result cannot be JSON or is larger than Lambda allows', async () => {
    const { runtime } = runtimeWith((event: { big: boolean }) => (event.big ? 'x'.repeat(6 * 1024 * 1024 + 200) : 1n));

    const bigint = await runtime.invoke('f', { big: false });
    const big = await runtime.invoke('f', { big: true });

    expect(bigint).toMatchObject({ errorType: 'Error', errorMessage: 'Unable to stringify response body' });
    expect(big).toMatchObject({ errorType: 'Function.ResponseSizeTooLarge' });
  });
});

describe('the Lambda endpoint', () => {
  const functions = {
    echo: { timeoutMs: 5000, handler: (event: unknown) => ({ echo: event }) },
    full: {
      timeoutMs: 5000,
      handler: () => {
        throw new NoSpace('pool is full');
      },
    },
  };
  const decode = (payload: Uint8Array | undefined): unknown => JSON.parse(Buffer.from(payload ?? []).toString());

  it('answers an invocation by name or ARN', async () => {
    const { lambdaClient } = await startCloud({ functions });
    const invoke = (FunctionName: string) =>
      lambdaClient.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ n: 1 }) }));

    const byName = await invoke('echo');
    const byArn = await invoke('arn:aws:lambda:us-east-1:000000000000:function:echo:$LATEST');

    expect(byName).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(byName.FunctionError).toBeUndefined();
    expect(decode(byName.Payload)).toEqual({ echo: { n: 1 } });
    expect(decode(byArn.Payload)).toEqual({ echo: { n: 1 } });
  });

  it('tells a failed function apart from an unknown one', async () => {
    const { lambdaClient } = await startCloud({ functions });

    const failed = await lambdaClient.send(new InvokeCommand({ FunctionName: 'full' }));
    const unknown = await rejection(lambdaClient.send(new InvokeCommand({ FunctionName: 'nobody' })));
    const malformed = await rejection(lambdaClient.send(new InvokeCommand({ FunctionName: 'echo', Payload: '{' })));

    expect(failed.FunctionError).toBe('Unhandled');
    expect(decode(failed.Payload)).toMatchObject({ errorType: 'NoSpace', errorMessage: 'pool is full' });
    expect(unknown).toBeInstanceOf(ResourceNotFoundException);
    expect(malformed.name).toBe('InvalidRequestContentException');
  });

  it('does not wait for an invocation of type Event', async () => {
    const { lambdaClient, functionErrors } = await startCloud({ functions });

    const answer = await lambdaClient.send(new InvokeCommand({ FunctionName: 'full', InvocationType: 'Event' }));
    await until(() => functionErrors.length === 1);

    expect(answer.StatusCode).toBe(202);
    expect(functionErrors).toMatchObject([{ errorType: 'NoSpace' }]);
  });
});
