import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import type { Executions, Machine } from '../../domain/ports.ts';
import { GIB, type Volume } from '../../domain/volume/volume.ts';
import { createApi } from '../../functions/api/app.ts';
import { noauth } from '../../functions/api/http/noauth.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import type { Records } from '../../store/records.ts';
import { createStore } from '../../store/store.ts';
import { fakeClock, START_MS } from '../helpers/clock.ts';
import { aHost, aPoolReport, aVolume } from '../helpers/factories.ts';

/** The API with a real store; what lies around it (queues, executions, time) is written down or moved by the test. */

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
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  readonly base64?: boolean;
  /** Sent as they are, in base64. */
  readonly bytes?: Buffer;
  /** null: none. */
  readonly token?: string | null;
  readonly version?: string;
  readonly headers?: Record<string, string>;
}

const SETTINGS: Deps['settings'] = {
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
  pauseMaxMs: 86_400_000,
  maxBodyBytes: 20_000,
};

const fakeExecutions = (started: Started[]): Executions => ({
  async start(machine, name, input) {
    if (started.some((execution) => execution.name === name)) return 'existed';
    started.push({ machine, name, input });
    return 'started';
  },
  status: async () => undefined,
});

export const createWorld = (records: Records = memoryRecords(), change: Partial<Deps> = {}) => {
  const started: Started[] = [];
  const looks: string[] = [];
  const reported: unknown[] = [];
  const clock = fakeClock();
  /** What happens elsewhere whenever the API sleeps. */
  const meanwhile: { act: () => Promise<unknown> } = { act: async () => undefined };
  let ids = 0;
  const deps: Deps = {
    store: createStore(records),
    notifier: { notify: async () => {} },
    tasks: { succeed: async () => 'told', fail: async () => 'told' },
    queues: {
      look: async (hostId) => {
        looks.push(hostId);
      },
    },
    executions: fakeExecutions(started),
    clock,
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    sleep: async (ms) => {
      clock.advanceMs(ms);
      await meanwhile.act();
    },
    settings: SETTINGS,
    ...change,
  };
  const api = createApi(deps, {
    authenticate: noauth,
    report: (error) => {
      reported.push(error);
    },
  });
  const ask = async (method: string, url: string, asked: Ask = {}): Promise<Answer> => {
    const result: APIGatewayProxyStructuredResultV2 = await api(eventOf(method, url, asked), {} as Context);
    return {
      status: result.statusCode ?? 0,
      headers: result.headers ?? {},
      body: result.body ? JSON.parse(result.body) : undefined,
    };
  };
  const act = (volumeId: string, body: object, asked: Ask = {}): Promise<Answer> =>
    ask('POST', `/v3/volumes/${volumeId}/action`, { ...asked, body });
  return { ask, act, deps, store: deps.store, started, looks, reported, clock, meanwhile };
};

export type World = ReturnType<typeof createWorld>;

export const ADMIN = 'root:project';
export const MEMBER = 'ann:project:member';
export const READER = 'bob:project:reader';
export const STRANGER = 'eve:elsewhere:member';

const bodyOf = ({ body, raw, base64 = false, bytes }: Ask): { body?: string; isBase64Encoded: boolean } => {
  if (bytes) return { body: bytes.toString('base64'), isBase64Encoded: true };
  const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  if (text === undefined) return { isBase64Encoded: false };
  return { body: base64 ? Buffer.from(text).toString('base64') : text, isBase64Encoded: base64 };
};

export const eventOf = (method: string, url: string, asked: Ask): APIGatewayProxyEventV2 => {
  const { token = ADMIN, version, headers } = asked;
  const [rawPath = '/', rawQueryString = ''] = url.split('?');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: {
      host: 'volmove.test:8776',
      ...(token === null ? {} : { 'x-auth-token': token }),
      ...(version === undefined ? {} : { 'openstack-api-version': `volume ${version}` }),
      ...headers,
    },
    ...bodyOf(asked),
    requestContext: {
      accountId: '1',
      apiId: 'a',
      domainName: 'volmove.test',
      domainPrefix: 'volmove',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'r-1',
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: START_MS,
    },
  };
};

/** host-a with pools ssd and hdd, host-b with pool ssd, host-c that is down. */
export const withHosts = async ({ store }: World): Promise<void> => {
  const backend = { name: 'files', driver: 'file', migrationProgressReport: true };
  await store.hosts.create(
    aHost('host-a', {
      backends: [
        {
          ...backend,
          pools: [
            aPoolReport({ poolId: 'pool-a', freeBytes: 50 * GIB }),
            aPoolReport({ name: 'hdd', poolId: 'pool-h', freeBytes: 20 * GIB }),
          ],
        },
      ],
    }),
  );
  await store.hosts.create(
    aHost('host-b', { backends: [{ ...backend, pools: [aPoolReport({ poolId: 'pool-b', freeBytes: 60 * GIB })] }] }),
  );
  await store.hosts.create(aHost('host-c', { stoppedAtMs: START_MS }));
};

/** An available volume of 1 GiB at host-a@files#ssd, unless said otherwise. */
export const withVolume = async ({ store }: World, change: Partial<Volume> = {}): Promise<Volume> =>
  (await store.volumes.create(aVolume(change))).value;

export const volumeNow = async ({ store }: World, { id }: Pick<Volume, 'id'>): Promise<Volume> => {
  const volume = await store.volumes.get(id);
  if (!volume) throw new Error(`volume ${id} is gone`);
  return volume;
};
