import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from '../../embedded/front/listen.ts';
import { untilReady } from '../../embedded/front/until-ready.ts';

it('a request that comes before everything is there is told to come again', async () => {
  let ready = false;
  const route = untilReady(
    () => ready,
    async (_request, response) => void response.end('"here"'),
  );
  const server = createServer((request, response) => void route(request, response));
  const url = await listen(server, '127.0.0.1', 0);
  onTestFinished(() => void server.close());

  const early = await fetch(url, { method: 'POST', body: '{}' });
  const told = await early.json();
  ready = true;
  const later = await fetch(url, { method: 'POST', body: '{}' });

  expect([early.status, early.headers.get('retry-after')]).toEqual([503, '1']);
  expect(told).toMatchObject({ serviceUnavailable: { code: 503 } });
  expect(await later.json()).toBe('here');
});
