import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Check, Host, Migration, MigrationEvent, Pool, Volume } from '../../cli/api/types.ts';

/** A service that speaks the HTTP contract from memory, and can be told to refuse. It keeps what it was asked. */

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FakeService {
  readonly url: string;
  readonly asked: Asked[];
  readonly volumes: Volume[];
  readonly migrations: Migration[];
  readonly events: Map<string, MigrationEvent[]>;
  readonly hosts: Host[];
  readonly pools: Pool[];
  readonly checks: Check[];
  /** Looks first: an answer here goes before the usual one. */
  intercept: ((asked: Asked) => Answer | undefined) | undefined;
  readonly close: () => Promise<void>;
}

const notFound = (what: string): Answer => ({
  status: 404,
  body: { itemNotFound: { code: 404, message: `${what} could not be found.` } },
});

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
};

type Memory = Omit<FakeService, 'url' | 'close' | 'asked' | 'intercept'>;

const volumesAnswer = (memory: Memory, { method, path, query, body }: Asked): Answer => {
  const [id, action] = path.split('/').slice(3);
  if (method === 'POST' && id === undefined) return { status: 202, body: { volume: memory.volumes.at(-1) } };
  if (id === 'detail') {
    return { status: 200, body: { volumes: memory.volumes.filter((v) => !query.name || v.name === query.name) } };
  }
  const volume = memory.volumes.find((one) => one.id === id);
  if (volume === undefined) return notFound(`Volume ${id}`);
  if (action === undefined) return method === 'DELETE' ? { status: 202 } : { status: 200, body: { volume } };
  const connects = Object.hasOwn(body as object, 'os-initialize_connection');
  if (!connects) return { status: 202 };
  const data = { device_path: '/srv/p1/volume-1.img' };
  return { status: 200, body: { connection_info: { driver_volume_type: 'local', data } } };
};

const listAnswer = (memory: Memory, { query }: Asked): Answer => {
  const limit = Number(query.limit ?? 1000);
  const all = memory.migrations.filter(
    (one) => (!query.volume_id || one.volume_id === query.volume_id) && (!query.state || one.state === query.state),
  );
  const from = query.marker === undefined ? 0 : all.findIndex((one) => one.id === query.marker) + 1;
  const page = all.slice(from, from + limit);
  const more = from + limit < all.length;
  const links = [{ rel: 'next', href: `http://elsewhere.example/v3/migrations?marker=${page.at(-1)?.id}` }];
  return { status: 200, body: { migrations: page, migrations_links: more ? links : [] } };
};

const migrationsAnswer = (memory: Memory, asked: Asked): Answer => {
  const [id, member] = asked.path.split('/').slice(3);
  if (id === undefined && asked.method === 'GET') return listAnswer(memory, asked);
  if (id === undefined) {
    const dry = (asked.body as { migration: { dry_run: boolean } }).migration.dry_run;
    if (dry) return { status: 200, body: { checks: memory.checks } };
    return {
      status: 202,
      body: { message: 'Your migration request has been received.', migration: memory.migrations[0] },
    };
  }
  const migration = memory.migrations.find((one) => one.id === id);
  if (migration === undefined) return notFound(`Migration ${id}`);
  if (member === 'action') return { status: 202, body: { migration: { ...migration, cancel_wished: true } } };
  if (member !== 'events') return { status: 200, body: { migration } };
  const after = Number(asked.query.after ?? 0);
  return { status: 200, body: { events: (memory.events.get(id) ?? []).filter((e) => e.detail.sequence > after) } };
};

const answer = (memory: Memory, asked: Asked): Answer => {
  switch (asked.path.split('/')[2]) {
    case 'volumes':
      return volumesAnswer(memory, asked);
    case 'migrations':
      return migrationsAnswer(memory, asked);
    case 'hosts':
      return { status: 200, body: { hosts: memory.hosts } };
    case 'scheduler-stats':
      return { status: 200, body: { pools: memory.pools } };
    default:
      return notFound(asked.path);
  }
};

export const startFakeService = async (): Promise<FakeService> => {
  const memory: Memory = { volumes: [], migrations: [], events: new Map(), hosts: [], pools: [], checks: [] };
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    readBody(request).then(
      (body) => {
        const query = Object.fromEntries(url.searchParams);
        const one = { method: request.method ?? '', path: url.pathname, query, headers: request.headers, body };
        asked.push(one);
        const reply = service.intercept?.(one) ?? answer(memory, one);
        const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
        response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers }).end(text);
      },
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const service: FakeService = {
    ...memory,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    intercept: undefined,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return service;
};
