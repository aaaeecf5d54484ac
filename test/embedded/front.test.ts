import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../embedded/front/admission.ts';
import { jsonService } from '../../embedded/front/aws-wire.ts';
import { createFront } from '../../embedded/front/front.ts';
import { rejection, startCloud, takenPort } from './cloud.ts';
import { exchange } from './socket.ts';

const authorization =
  'AWS4-HMAC-SHA256 Credential=embedded/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0';
const target = { 'x-amz-target': 'DynamoDB_20120810.ListTables' };

const ask = async (url: string, headers: Record<string, string>, path = '/') => {
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: '{}' });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown>, headers: answer.headers };
};

const from = (remoteAddress: string | undefined, headers: Record<string, string> = { authorization }) =>
  refusal({ headers, socket: { remoteAddress } as Socket });

describe('the cloud endpoints', () => {
  it('answer a client of this machine, with a request id', async () => {
    const { dynamoClient } = await startCloud();

    const answer = await dynamoClient.send(new ListTablesCommand({}));

    expect(answer.TableNames).toEqual([]);
    expect(answer.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answer nobody else, whatever address the port is open on', () => {
    const refused = ['10.0.0.7', '::ffff:10.0.0.7', '2001:db8::1', '', undefined].map((address) => from(address)?.name);
    const admitted = ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'].map((address) => from(address));

    expect(refused).toEqual(Array.from({ length: 5 }, () => 'AccessDeniedException'));
    expect(admitted).toEqual(Array.from({ length: 4 }, () => undefined));
  });

  it('refuse a call to another address of this machine, where the HTTP API answers', async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    const { url } = await startCloud({ front: { host: '0.0.0.0' } });
    const other = url.replace('127.0.0.1', address ?? '127.0.0.1');

    const cloud = await ask(other, { ...target, authorization });
    const api = await ask(other, {});

    expect(cloud.status).toBe(address === undefined ? 200 : 403);
    expect(api.status).toBe(200);
  });

  it.each([
    ['without an AWS4 signature', {}, 'MissingAuthenticationTokenException'],
    ['with another kind of authorization', { authorization: 'Bearer x' }, 'MissingAuthenticationTokenException'],
    ['from a web page', { authorization, origin: 'https://evil.example' }, 'AccessDeniedException'],
    ['that a browser marked', { authorization, 'sec-fetch-site': 'same-origin' }, 'AccessDeniedException'],
    ['through a proxy', { authorization, 'x-forwarded-for': '10.0.0.7' }, 'AccessDeniedException'],
  ])('refuse a request %s', async (_what, headers, name) => {
    const { url } = await startCloud();

    const byTarget = await ask(url, { ...target, ...headers });
    const byPath = await ask(url, headers, '/2015-03-31/functions/api/invocations');

    expect([byTarget.status, byTarget.body.__type]).toEqual([403, name]);
    expect([byPath.status, byPath.headers.get('x-amzn-errortype')]).toEqual([403, name]);
    expect(byTarget.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('say when nothing serves a target, and leave unknown targets to the HTTP API', async () => {
    const { url } = await startCloud();

    const unserved = await ask(url, { 'x-amz-target': 'AWSStepFunctions.StartExecution', authorization });
    const unknown = await ask(url, { 'x-amz-target': 'Kinesis.PutRecord' });

    expect(unserved.body.__type).toBe('UnknownOperationException');
    expect(unknown.body.version).toBe('2.0');
  });

  it('hand a JSON handler its target and body, and report what it throws', async () => {
    const calls: unknown[] = [];
    const errors: unknown[] = [];
    const front = await createFront({
      host: '127.0.0.1',
      port: 0,
      routes: {
        workflows: jsonService('1.0', async (name, body) => {
          calls.push([name, body]);
          if (name.endsWith('Stop')) throw new Error('broken');
          return { status: 400, body: { __type: 'ExecutionDoesNotExist' } };
        }),
        gateway: () => Promise.reject(new Error('no API')),
      },
      onError: (error) => errors.push(error),
    });

    const answered = await ask(front.url, { 'x-amz-target': 'AWSStepFunctions.Describe', authorization });
    const failed = await ask(front.url, { 'x-amz-target': 'AWSStepFunctions.Stop', authorization });
    const api = await ask(front.url, {});
    await front.close();

    expect(calls[0]).toEqual(['AWSStepFunctions.Describe', {}]);
    expect(answered).toMatchObject({ status: 400, body: { __type: 'ExecutionDoesNotExist' } });
    expect(answered.headers.get('content-type')).toBe('application/x-amz-json-1.0');
    expect(failed).toMatchObject({ status: 500, body: { __type: 'InternalFailure' } });
    expect(api.status).toBe(500);
    expect(errors.map(String)).toEqual(['Error: broken', 'Error: no API']);
  });
});

describe('the port', () => {
  const open = (host: string, port: number) =>
    createFront({ host, port, routes: { gateway: () => Promise.resolve() }, onError: () => undefined });

  it('that is taken is said to be, with what to do', async () => {
    const port = await takenPort();

    const refused = await rejection(open('127.0.0.1', port));

    expect(refused.message).toBe(
      `Port ${port} on 127.0.0.1 is taken by another process. Stop that process, or choose another port (0 takes a free one).`,
    );
  });

  it('on an address that this machine has not is refused in words', async () => {
    const refused = await rejection(open('192.0.2.1', 0));

    expect(refused.message).toContain('192.0.2.1 is not an address of this machine');
  });

  it('is free again after close', async () => {
    const front = await open('127.0.0.1', 0);
    await front.close();

    const again = await open('127.0.0.1', Number(new URL(front.url).port));
    await again.close();

    expect(again.url).toBe(front.url);
  });
});

describe('a connection', () => {
  it('that does not send its headers in time is ended with 408', async () => {
    const { url } = await startCloud({ front: { timeouts: { headersMs: 100, requestMs: 200 } } });

    const text = await exchange(url, 'GET / HTTP/1.1\r\nhost: x\r\nx-slow: ');

    expect(text).toContain('HTTP/1.1 408 Request Timeout');
  });

  it('that does not send its body in time is ended, and the function is not called', async () => {
    const events: unknown[] = [];
    const { url, errors } = await startCloud({
      apiFunction: (event: unknown) => events.push(event),
      front: { timeouts: { headersMs: 100, requestMs: 200 } },
    });

    const text = await exchange(url, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');

    expect(text).toContain('HTTP/1.1 408 Request Timeout');
    expect(events).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('that does not speak HTTP gets 400, and one with giant headers 431', async () => {
    const { url } = await startCloud();

    const nonsense = await exchange(url, 'what?\r\n\r\n');
    const giant = await exchange(url, `GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`);

    expect(nonsense).toContain('HTTP/1.1 400 Bad Request');
    expect(giant).toContain('HTTP/1.1 431 Request Header Fields Too Large');
  });

  it('gets its answer when the front closes while the function still works', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<string>();
    const { url, close } = await startCloud({
      apiFunction: () => {
        begun.resolve();
        return goOn.promise;
      },
    });
    const answer = fetch(url);
    await begun.promise;

    const closed = close();
    goOn.resolve('done');
    await closed;

    expect(await (await answer).text()).toBe('done');
  });
});

it('is the only port of the embedded cloud', async () => {
  await startCloud();

  const ports = process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap');

  expect(ports).toHaveLength(1);
});
