import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Failure } from '../../domain/error.ts';
import type { VolmoveEvent } from '../../domain/event.ts';
import type { Host, PoolReport } from '../../domain/host/host.ts';
import type { ExecutionStatus, Machine } from '../../domain/ports.ts';
import { newVolume } from '../../domain/volume/lifecycle.ts';
import { GIB, type Volume } from '../../domain/volume/volume.ts';
import { createApi } from '../../functions/api/app.ts';
import { noauth } from '../../functions/api/http/noauth.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import type { Records } from '../../store/records.ts';
import { createStore } from '../../store/store.ts';

/** The API with a real store; what lies around it (queues, executions, events, time) is written down or moved by the test. */

export interface Started {
  readonly machine: Machine;
  readonly name: string;
  readonly input: object;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies freely
  readonly body: any;
}

export interface Ask {
  readonly body?: unknown;
  readonly raw?: string;
  readonly base64?: boolean;
  readonly token?: string | null;
  readonly headers?: Record<string, string>;
}

export const NOW_MS = Date.parse('2026-03-01T12:00:00.123Z');

const settings: Deps['settings'] = {
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:1',
  table: 'volmove',
  bus: 'volmove',
  machines: { 'migrate-volume': 'arn:aws:m', 'volume-job': 'arn:aws:v' },
  hostLostAfterMs: 15_000,
  sweepGraceMs: 1_000,
  removalWaitSeconds: 5,
  copyTimeoutSeconds: 600,
  stepTimeoutSeconds: 60,
  maxBodyBytes: 20_000,
};

export const createWorld = (records: Records = memoryRecords()) => {
  const started: Started[] = [];
  const looks: string[] = [];
  const events: VolmoveEvent[] = [];
  const reported: unknown[] = [];
  const clock = { ms: NOW_MS };
  let ids = 0;
  const sleeps: { each: (ms: number) => Promise<void> | void } = { each: () => {} };
  const deps: Deps = {
    store: createStore(records),
    notifier: { notify: async (more) => void events.push(...more) },
    tasks: {
      succeed: async (_token: string, _output: object) => 'told',
      fail: async (_token: string, _failure: Failure) => 'told',
    },
    queues: { look: async (hostId) => void looks.push(hostId) },
    executions: {
      async start(machine, name, input) {
        if (started.some((s) => s.name === name)) return 'existed';
        started.push({ machine, name, input });
        return 'started';
      },
      status: async (): Promise<ExecutionStatus | undefined> => undefined,
    },
    clock: { nowMs: () => clock.ms },
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    sleep: async (ms) => {
      clock.ms += ms;
      await sleeps.each(ms);
    },
    settings,
  };
  const api = createApi(deps, { authenticate: noauth, report: (error) => void reported.push(error) });

  const ask = async (method: string, url: string, asked: Ask = {}): Promise<Answer> => {
    const result = (await api(eventOf(method, url, asked), {} as Context)) as APIGatewayProxyStructuredResultV2;
    return {
      status: result.statusCode ?? 0,
      headers: result.headers ?? {},
      body: result.body ? JSON.parse(result.body) : undefined,
    };
  };
  return { ask, deps, started, looks, events, reported, clock, sleeps };
};

export type World = ReturnType<typeof createWorld>;

export const eventOf = (
  method: string,
  url: string,
  { body, raw, base64, token, headers }: Ask,
): APIGatewayProxyEventV2 => {
  const [rawPath = '/', rawQueryString = ''] = url.split('?');
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const bearer = token === undefined ? 'admin:demo' : token;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: { host: 'volmove.test:8776', ...(bearer === null ? {} : { 'x-auth-token': bearer }), ...headers },
    ...(text === undefined ? {} : { body: base64 ? Buffer.from(text).toString('base64') : text }),
    isBase64Encoded: base64 === true,
    requestContext: {
      accountId: '1',
      apiId: 'a',
      domainName: 'volmove.test',
      domainPrefix: 'volmove',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'r-1',
      routeKey: '$default',
      stage: '$default',
      time: '01/Mar/2026:12:00:00 +0000',
      timeEpoch: NOW_MS,
    },
  };
};

export const poolReport = (more: Partial<PoolReport> & { name: string }): PoolReport => ({
  poolId: `id-${more.name}`,
  state: 'up',
  reason: null,
  totalBytes: 100 * GIB,
  freeBytes: 50 * GIB,
  provisionedBytes: 0,
  thin: true,
  ...more,
});

/** A host that is up, with one backend `file` of the given pools. */
export const hostWith = (id: string, pools: readonly PoolReport[], more: Partial<Host> = {}): Host => ({
  id,
  incarnation: `${id}-1`,
  dataDirId: id,
  address: '127.0.0.1:10809',
  fingerprint: 'f'.repeat(64),
  version: '0.1.0',
  heartbeatMs: 2_000,
  backends: [{ name: 'file', driver: 'file', migrationProgressReport: true, pools }],
  concurrency: 2,
  migrationProgressReportIntervalSeconds: 1,
  registeredAtMs: NOW_MS,
  heartbeatAtMs: NOW_MS,
  stoppedAtMs: null,
  ...more,
});

/** Two hosts, a and b, with the pools p1 and p2, and p3. */
export const withHosts = async (world: World): Promise<void> => {
  await world.deps.store.hosts.create(
    hostWith('a', [poolReport({ name: 'p1' }), poolReport({ name: 'p2', freeBytes: 20 * GIB })]),
  );
  await world.deps.store.hosts.create(hostWith('b', [poolReport({ name: 'p3', freeBytes: 60 * GIB })]));
};

/** An available volume of 1 GiB at a@file#p1, unless said otherwise. */
export const withVolume = async (world: World, more: Partial<Volume> = {}): Promise<Volume> => {
  const id = more.id ?? world.deps.newId();
  const placement = { hostId: 'a', backend: 'file', pool: 'p1' };
  const volume: Volume = {
    ...newVolume({
      id,
      projectId: 'demo',
      userId: 'admin',
      name: 'v',
      description: null,
      sizeBytes: GIB,
      metadata: {},
      placement,
      nowMs: NOW_MS,
    }),
    status: 'available',
    location: { ...placement, objectName: `volume-${id}-create-1`, objectId: `o-${id}`, sizeBytes: GIB },
    ...more,
  };
  await world.deps.store.volumes.create(volume);
  return volume;
};
