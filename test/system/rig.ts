import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lastingPort } from './lasting-port.ts';

/**
 * Real parts in real processes: an embedded cloud and agents, driven by the public HTTP API alone, killed and started again
 * at will. Waiting is by condition with a deadline, never for a time.
 */
const LAUNCHER = fileURLToPath(new URL('../../cli/volmove.js', import.meta.url));
// a guest (test/backends/) has one slow processor, and a cluster of Ceph takes its time to believe that a client has died
const DEADLINE_MS = Number(process.env.TEST_DEADLINE_MS ?? (process.env.IN_GUEST === '1' ? 170_000 : 45_000));

export interface Reply<T = unknown> {
  readonly status: number;
  readonly body: T;
}

export interface VolumeBody {
  readonly id: string;
  readonly status: string;
  readonly migration_status: string | null;
  readonly 'os-vol-host-attr:host': string | null;
}

export interface MigrationBody {
  readonly id: string;
  readonly state: string;
  readonly phase: string;
  readonly copy_engine: string;
  readonly reason: { readonly code: string; readonly message: string; readonly remedy: string } | null;
  readonly digests: { readonly source: string; readonly destination: string } | null;
  readonly cleanup: { readonly state: string };
  readonly progress: { readonly done_bytes: number; readonly percent: number; readonly attempt: number } | null;
  readonly story: readonly { readonly to: string; readonly why: string | null }[];
}

export const until = async <T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> => {
  const deadline = performance.now() + DEADLINE_MS;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const found = await probe();
      if (found) return found;
    } catch (error) {
      // the cloud may be down on purpose
      last = error;
    }
    await sleep(25);
  }
  throw new Error(`${what}: not within ${DEADLINE_MS / 1000} s`, { cause: last });
};

export class Part {
  child: ChildProcess | undefined;
  readonly name: string;
  readonly args: readonly string[];
  readonly logPath: string;
  readonly environment: Readonly<Record<string, string>>;

  constructor(name: string, args: readonly string[], logPath: string, environment = {}) {
    this.name = name;
    this.args = args;
    this.logPath = logPath;
    this.environment = environment;
  }

  async start(): Promise<string> {
    const before = readFileSync(this.logPath, { encoding: 'utf8', flag: 'a+' }).length;
    const log = openSync(this.logPath, 'a');
    // dies with the test's process: one that ran out of time ends nothing of what it began
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, LAUNCHER, ...this.args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...this.environment },
    });
    closeSync(log);
    return until(`${this.name} is up`, async () => {
      const text = (await readFile(this.logPath, 'utf8')).slice(before);
      if (this.child?.exitCode !== null) throw new Error(text);
      return text.split('\n').find((line) => line.includes(' is up'));
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

export type Rig = Awaited<ReturnType<typeof startRig>>;

/** Where everything of one rig lies. */
const placesIn = (directory: string) => ({
  directory,
  dataDir: (host: string): string => join(directory, host, 'data'),
  pool: (host: string, name = 'main'): string => join(directory, host, name === 'main' ? 'pool' : name),
});
type Places = ReturnType<typeof placesIn>;

/** Of every agent, or of each. */
export type Settings = object | ((host: string) => object);

const newAgent = async (
  { directory, dataDir, pool }: Places,
  { url, host, pools, settings }: { url: string; host: string; pools: readonly string[]; settings: Settings },
): Promise<Part> => {
  for (const name of pools) await mkdir(pool(host, name), { recursive: true });
  const config = {
    host_id: host,
    data_dir: dataDir(host),
    endpoint: url,
    auto_register: true,
    data_address: `127.0.0.1:${await lastingPort()}`,
    heartbeat_seconds: 2,
    migration_progress_report_interval: 0.2,
    backends: [{ name: 'files', driver: 'file', pools: pools.map((name) => ({ name, path: pool(host, name) })) }],
    ...(typeof settings === 'function' ? settings(host) : settings),
  };
  const path = join(directory, `${host}.json`);
  await writeFile(path, JSON.stringify(config));
  return new Part(host, ['agent', '--config', path], join(directory, `${host}.log`));
};

const stopParts = async (parts: ReadonlyMap<string, Part>, directory: string): Promise<void> => {
  for (const each of parts.values()) {
    each.child?.kill('SIGCONT');
    await each.end('SIGKILL');
  }
  await rm(directory, { recursive: true, force: true });
};

const apiAt = (url: string) => {
  const call = async <T>(
    method: string,
    path: string,
    body?: unknown,
    token = 'admin:demo',
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply<T>> => {
    const answer = await fetch(`${url}/v3${path}`, {
      method,
      headers: { 'X-Auth-Token': token, 'Content-Type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: (text === '' ? undefined : JSON.parse(text)) as T };
  };
  const volume = async (id: string): Promise<VolumeBody> =>
    (await call<{ volume: VolumeBody }>('GET', `/volumes/${id}`)).body.volume;
  const migration = async (id: string): Promise<MigrationBody> =>
    (await call<{ migration: MigrationBody }>('GET', `/migrations/${id}`)).body.migration;
  const action = (id: string, body: object): Promise<Reply> => call('POST', `/volumes/${id}/action`, body);
  return { call, volume, migration, action };
};
type Api = ReturnType<typeof apiAt>;

/** What an administrator asks for and waits for. */
const requestsTo = ({ call, volume, migration }: Api) => ({
  /** An available volume of 64 MiB (or 1 GiB) on the host, with random data in it; returns its id. */
  async create(host = 'alpha', sizeGib = 1): Promise<string> {
    const hints = { volmove_pool: `${host}@files#main` };
    const made = await until('a volume can be created', async () => {
      const reply = await call<{ volume: { id: string } }>('POST', '/volumes', {
        volume: { size: sizeGib },
        'OS-SCH-HNT:scheduler_hints': hints,
      });
      return reply.status === 202 && reply.body.volume.id;
    });
    await until('the volume is available', async () => (await volume(made)).status === 'available');
    return made;
  },

  /** To the main pool of a host, unless `options` name another destination. */
  async migrate(id: string, to: string, options: object = {}): Promise<string> {
    const asked = { volume_id: id, destination: `${to}@files#main`, ...options };
    const reply = await call<{ migration: { id: string } }>('POST', '/migrations', { migration: asked });
    if (reply.status !== 202) throw new Error(`migrate was answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply.body.migration.id;
  },

  inPhase: (id: string, phase: string) =>
    until(`migration ${id} is ${phase}`, async () => {
      const now = await migration(id);
      if (['succeeded', 'failed', 'refused'].includes(now.state) && now.phase !== phase)
        throw new Error(JSON.stringify(now));
      return now.phase === phase && now;
    }),

  /** Ended, and nothing left to clean up. */
  ended: (id: string) =>
    until(`migration ${id} ends`, async () => {
      const now = await migration(id);
      return (
        ['succeeded', 'failed', 'refused'].includes(now.state) && ['none', 'done'].includes(now.cleanup.state) && now
      );
    }),
});

/** The volumes' files, as their guests and the pools have them. */
const filesOf = ({ pool }: Places, { volume }: Api, hosts: readonly string[], pools: readonly string[]) => {
  /** The file behind the volume, where a guest would find it. */
  const path = async (id: string): Promise<string> => {
    const [host = '', , name] = (await volume(id))['os-vol-host-attr:host']?.split(/[@#]/) ?? [];
    const [file] = (await readdir(pool(host, name))).filter((one) => one.includes(`volume-${id}-`));
    return join(pool(host, name), file ?? 'missing');
  };
  const write = async (id: string, offset: number, bytes: Uint8Array): Promise<void> => {
    const handle = await open(await path(id), 'r+');
    try {
      await handle.write(bytes, 0, bytes.length, offset);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  return {
    path,
    write,

    async fill(id: string, mebibytes: number): Promise<void> {
      for (let i = 0; i < mebibytes; i += 8) await write(id, i * 3 * 1024 * 1024, randomBytes(8 * 1024 * 1024));
    },

    async content(id: string): Promise<string> {
      const hash = createHash('sha256');
      const handle = await open(await path(id), 'r');
      try {
        for await (const piece of handle.createReadStream({ autoClose: false, highWaterMark: 1 << 22 }))
          hash.update(piece as Buffer);
      } finally {
        await handle.close();
      }
      return hash.digest('hex');
    },

    /** Every object in every pool. */
    async objects(): Promise<string[]> {
      const all = await Promise.all(
        hosts.flatMap((host) =>
          pools.map(async (name) => (await readdir(pool(host, name))).map((file) => `${host}/${file}`)),
        ),
      );
      return all.flat().filter((file) => file.endsWith('.img'));
    },
  };
};

export const startRig = async (
  hosts: readonly string[] = ['alpha', 'beta'],
  settings: Settings = {},
  pools: readonly string[] = ['main'],
  /** Of the cloud's process. */
  environment: Readonly<Record<string, string>> = {},
) => {
  const places = placesIn(await mkdtemp(join(tmpdir(), 'volmove-test-')));
  const { directory } = places;
  const cloudArgs = ['up', '--data-dir', join(directory, 'cloud'), '--port', String(await lastingPort())];
  const cloud = new Part('cloud', cloudArgs, join(directory, 'cloud.log'), environment);
  const parts = new Map<string, Part>([['cloud', cloud]]);
  const stop = (): Promise<void> => stopParts(parts, directory);
  const start = async (): Promise<string> => {
    const url = /http:\/\/\S+/.exec(await cloud.start())?.[0] ?? '';
    for (const host of hosts) {
      const agent = await newAgent(places, { url, host, pools, settings });
      parts.set(host, agent);
      await agent.start();
    }
    return url;
  };
  const url = await start().catch(async (error: unknown) => {
    // nobody has a rig to stop yet
    await stop();
    throw error;
  });
  const part = (name: string): Part => parts.get(name) as Part;
  const api = apiAt(url);
  return {
    url,
    ...places,
    ...api,
    ...requestsTo(api),
    ...filesOf(places, api, hosts, pools),
    log: (name: string): Promise<string> => readFile(part(name).logPath, 'utf8'),
    kill: (name: string) => part(name).end('SIGKILL'),
    terminate: (name: string) => part(name).end('SIGTERM'),
    freeze: (name: string) => part(name).child?.kill('SIGSTOP'),
    thaw: (name: string) => part(name).child?.kill('SIGCONT'),
    start: (name: string) => part(name).start(),
    pids: () => Object.fromEntries([...parts].map(([name, each]) => [name, each.child?.pid])),
    stop,
  };
};
