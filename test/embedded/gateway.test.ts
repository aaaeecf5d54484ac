import { request } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { startCloud } from './cloud.ts';
import { exchange } from './socket.ts';

const cloudThatReturns = async (value: unknown) => startCloud({ apiFunction: () => value });

const eventOf = async (answer: Response): Promise<APIGatewayProxyEventV2> =>
  (await answer.json()) as APIGatewayProxyEventV2;

describe('the event of a request', () => {
  it('is that of an HTTP API', async () => {
    const nowMs = Date.parse('2026-03-02T19:03:58.123Z');
    const { url } = await startCloud({ gateway: { nowMs: () => nowMs, newId: () => 'id-1' } });

    const event = await eventOf(
      await fetch(`${url}/v3/p%20q/volumes?name=a%26b&name=c&empty=`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          'X-Auth-Token': 'admin',
          Cookie: 'a=1; b=2',
          'user-agent': 'test',
        },
        body: '{"ä":1}',
      }),
    );

    expect(event).toMatchObject({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/v3/p%20q/volumes',
      rawQueryString: 'name=a%26b&name=c&empty=',
      cookies: ['a=1', 'b=2'],
      headers: { 'content-type': 'application/json', 'x-auth-token': 'admin', host: new URL(url).host },
      queryStringParameters: { name: 'a&b,c', empty: '' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'embedded',
        domainName: '127.0.0.1',
        http: {
          method: 'POST',
          path: '/v3/p%20q/volumes',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test',
        },
        requestId: 'id-1',
        routeKey: '$default',
        stage: '$default',
        time: '02/Mar/2026:19:03:58 +0000',
        timeEpoch: nowMs,
      },
      body: '{"ä":1}',
      isBase64Encoded: false,
    });
    expect(event.headers).not.toHaveProperty('cookie');
  });

  it('joins repeated headers, and has no query, cookies or body when there are none', async () => {
    const { url } = await startCloud();

    const text = await exchange(
      url,
      ['GET / HTTP/1.1', 'host: x', 'x-a: 1', 'X-A: 2', 'connection: close', '', ''].join('\r\n'),
    );
    const event = JSON.parse(text.slice(text.indexOf('{'))) as APIGatewayProxyEventV2;

    expect(event.headers['x-a']).toBe('1,2');
    expect(event.rawQueryString).toBe('');
    expect(event).not.toHaveProperty('queryStringParameters');
    expect(event).not.toHaveProperty('cookies');
    expect(event).not.toHaveProperty('body');
  });

  it('has a body of other types, and one that is not UTF-8, in base64', async () => {
    const { url } = await startCloud();
    const post = async (type: string, body: string | Buffer) =>
      eventOf(await fetch(url, { method: 'POST', headers: { 'content-type': type }, body }));

    const binary = await post('application/octet-stream', 'abc');
    const broken = await post('application/json', Buffer.from([0xff, 0xfe]));
    const text = await post('text/plain; charset=utf-8', 'abc');

    expect(binary).toMatchObject({ body: Buffer.from('abc').toString('base64'), isBase64Encoded: true });
    expect(broken).toMatchObject({ body: Buffer.from([0xff, 0xfe]).toString('base64'), isBase64Encoded: true });
    expect(text).toMatchObject({ body: 'abc', isBase64Encoded: false });
  });

  it('has a path with a malformed escape as it was sent, and so a malformed query', async () => {
    const { url } = await startCloud();

    const text = await exchange(url, 'GET /v3/%zz?a=%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const event = JSON.parse(text.slice(text.indexOf('{'))) as APIGatewayProxyEventV2;

    expect(event.rawPath).toBe('/v3/%zz');
    expect(event.queryStringParameters).toEqual({ a: '%zz' });
  });
});

describe('the answer of a function', () => {
  it('is sent with its status, headers and cookies', async () => {
    const { url } = await cloudThatReturns({
      statusCode: 202,
      headers: { 'Content-Type': 'application/json', 'X-N': 3, 'Content-Length': '9999', Connection: 'close' },
      cookies: ['a=1', 'b=2'],
      body: '{"ok":true}',
    });

    const answer = await fetch(url);

    expect(answer.status).toBe(202);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('x-n')).toBe('3');
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await answer.text()).toBe('{"ok":true}');
  });

  it('may be bytes, a text alone, a value alone, or no body', async () => {
    const bytes = await cloudThatReturns({
      statusCode: 200,
      body: Buffer.from([0, 255]).toString('base64'),
      isBase64Encoded: true,
    });
    const text = await cloudThatReturns('hello');
    const value = await cloudThatReturns({ ok: true });
    const nothing = await cloudThatReturns({ statusCode: 204 });

    const answers = await Promise.all([bytes, text, value, nothing].map(({ url }) => fetch(url)));
    const [first, second, third, fourth] = await Promise.all(
      answers.map(async (answer) => Buffer.from(await answer.arrayBuffer())),
    );

    expect(first).toEqual(Buffer.from([0, 255]));
    expect([answers[1]?.status, answers[1]?.headers.get('content-type'), second?.toString()]).toEqual([
      200,
      'application/json',
      'hello',
    ]);
    expect(third?.toString()).toBe('{"ok":true}');
    expect([answers[3]?.status, fourth?.length]).toEqual([204, 0]);
  });

  it('to HEAD has the headers and no body', async () => {
    const { url } = await cloudThatReturns({ statusCode: 200, body: 'hello' });

    const answer = await fetch(url, { method: 'HEAD' });

    expect(answer.headers.get('content-length')).toBe('5');
    expect(await answer.text()).toBe('');
  });

  it('is 500 when the function failed, and the caller is not told why', async () => {
    const cloud = await startCloud({
      apiFunction: () => {
        throw new Error('secret');
      },
    });

    const answer = await fetch(cloud.url);

    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ message: 'Internal Server Error' });
    expect(cloud.functionErrors).toMatchObject([{ errorMessage: 'secret' }]);
  });

  it('is 500 when it is no answer that HTTP can carry, and the reason is reported', async () => {
    const status = await cloudThatReturns({ statusCode: 'soon' });
    const header = await cloudThatReturns({ statusCode: 200, headers: { 'x-a': 'b\r\nset-cookie: c=d' } });

    const answers = [await fetch(status.url), await fetch(header.url)];

    expect(answers.map((answer) => answer.status)).toEqual([500, 500]);
    expect(answers[1]?.headers.getSetCookie()).toEqual([]);
    expect(String(status.errors[0])).toContain('statusCode "soon"');
    expect(String(header.errors[0])).toContain('"x-a"');
  });
});

describe('a body that is too large', () => {
  it.each([
    ['with its length declared', { 'content-length': '3000' }],
    ['in chunks', {}],
  ])('is answered with 413, and the connection serves the next request: %s', async (_what, headers) => {
    const { url } = await startCloud({ gateway: { bodyLimitBytes: 1000 } });
    const declared = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const framing = declared.length > 0 ? declared.join('') : 'transfer-encoding: chunked\r\n';
    const body = declared.length > 0 ? 'x'.repeat(3000) : `${'bb8\r\n'}${'x'.repeat(3000)}\r\n0\r\n\r\n`;

    const text = await exchange(
      url,
      `POST /a HTTP/1.1\r\nhost: x\r\n${framing}\r\n${body}GET /next HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );

    expect(text).toContain('HTTP/1.1 413');
    expect(text).toContain('the body exceeds 1000 bytes');
    expect(text).toContain('"rawPath":"/next"');
  });

  it('of exactly the limit is none', async () => {
    const { url } = await startCloud({ gateway: { bodyLimitBytes: 1000 } });

    const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(1000) });

    expect(answer.status).toBe(200);
  });
});

describe('a caller that hangs up', () => {
  it('in the middle of its body leaves no error behind, and the function is not called', async () => {
    const events: unknown[] = [];
    const cloud = await startCloud({ apiFunction: (event: unknown) => events.push(event) });

    await new Promise<void>((resolve) => {
      const call = request(cloud.url, { method: 'POST', headers: { 'content-length': '100' } });
      call.on('error', () => resolve());
      call.write('half', () => call.destroy(new Error('gone')));
    });
    await fetch(cloud.url);

    expect(events).toHaveLength(1);
    expect(cloud.errors).toEqual([]);
  });
});
