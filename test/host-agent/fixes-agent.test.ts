import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AgentDeps, runAgent } from '../../host-agent/agent.ts';
import { parseConfig } from '../../host-agent/config.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore, type Store } from '../../store/store.ts';
import { CLIENT } from '../data-path/helpers/nbd-rig.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { until } from '../data-path/helpers/until.ts';
import { fakeClock } from '../helpers/clock.ts';
import { aHost, aJob } from '../helpers/factories.ts';
import { recordedEvents, recordedTasks } from './helpers/recorders.ts';

const HOST = 'host-a';
const HEARTBEAT_MS = 2_000;
const LAPSED_MS = 3 * HEARTBEAT_MS + 1;

/** A whole agent over a store in memory; the test moves its time, and says when it looks. */
const rig = async (store: Store = createStore(memoryRecords())) => {
  const directory = await tempDir();
  const path = join(directory, 'pool');
  await mkdir(path);
  const state = { nowMs: 0, problems: [] as string[], up: false, ended: undefined as string | undefined };
  const sleepers = new Set<{ readonly ms: number; readonly wake: () => void }>();
  const graceful = new AbortController();
  const force = new AbortController();
  let look: () => void = () => undefined;
  const deps: AgentDeps = {
    config: parseConfig({
      host_id: HOST,
      data_dir: directory,
      heartbeat_seconds: HEARTBEAT_MS / 1000,
      backends: [{ name: 'files', driver: 'file', pools: [{ name: 'ssd', path }] }],
    }),
    dataDir: { path: directory, id: 'directory', release: async () => undefined },
    store,
    tasks: recordedTasks(),
    notifier: recordedEvents(),
    looks: {
      poll: async () => undefined,
      next: (signal) =>
        new Promise((resolve) => {
          look = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
          if (signal.aborted) resolve();
        }),
    },
    clock: fakeClock(),
    monotonicMs: () => state.nowMs,
    newId: () => 'incarnation',
    path: process.env.PATH ?? '',
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const one = { ms, wake: resolve };
        sleepers.add(one);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
    onProblem: (what) => state.problems.push(what),
  };
  const done = runAgent(deps, { graceful: graceful.signal, force: force.signal }, () => {
    state.up = true;
  }).then(
    () => {
      state.ended = 'in good order';
    },
    (error: Error) => {
      state.ended = error.name;
    },
  );
  onTestFinished(async () => {
    force.abort();
    await done;
  });
  return {
    state,
    store,
    graceful,
    done,
    sleeping: (ms: number) => [...sleepers].some((one) => one.ms === ms),
    wake(ms: number): void {
      for (const one of sleepers) {
        if (one.ms !== ms) continue;
        sleepers.delete(one);
        one.wake();
      }
    },
    look: () => look(),
  };
};

/** The store of `host`, whose `hosts` cannot be reached while `away` says so. */
const storeAway = (away: () => boolean) => {
  const store = createStore(memoryRecords());
  const unlessAway = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (away()) throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
      return act(...args);
    };
  };
  const hosts: Store['hosts'] = {
    ...store.hosts,
    create: unlessAway((host) => store.hosts.create(host)),
    apply: unlessAway((id, rule, seen) => store.hosts.apply(id, rule, seen)),
  };
  return { ...store, hosts };
};

describe('an agent that starts before its control plane', () => {
  it('waits for it, says so, and is up when it is there', async () => {
    let away = true;
    const agent = await rig(storeAway(() => away));
    await until('it waits', () => agent.sleeping(1_000));
    const before = { ...agent.state, problems: [...agent.state.problems] };

    away = false;
    agent.wake(1_000);
    await until('it is up', () => agent.state.up);

    expect(before).toMatchObject({ up: false, ended: undefined, problems: ['registration'] });
  });

  it('ends in good order when it is told to while it waits', async () => {
    const agent = await rig(storeAway(() => true));
    await until('it waits', () => agent.sleeping(1_000));

    agent.graceful.abort();
    await agent.done;

    expect(agent.state).toMatchObject({ up: false, ended: 'in good order' });
  });

  it('ends at once when the control plane refuses it', async () => {
    const store = createStore(memoryRecords());
    await store.hosts.create({ ...aHost(HOST), heartbeatAtMs: fakeClock().nowMs() });

    const agent = await rig(store);
    await agent.done;

    expect(agent.state).toMatchObject({ up: false, ended: 'AgentSuperseded' });
  });
});

describe('an agent whose lease has lapsed', () => {
  const connect = async (agent: Awaited<ReturnType<typeof rig>>) => {
    const host = await agent.store.hosts.get(HOST);
    return connectNbd({
      host: '127.0.0.1',
      port: Number(host?.address.split(':')[1]),
      exportName: 'm.1.1',
      tls: { keyPem: CLIENT.keyPem, certPem: CLIENT.certPem, peerFingerprint: host?.fingerprint ?? '' },
      signal: new AbortController().signal,
    });
  };

  it('closes the connections of those who come, and refuses nobody for good', async () => {
    const agent = await rig();
    await until('it has sent its first heartbeat', () => agent.sleeping(HEARTBEAT_MS));
    const before = await thrownBy(connect(agent));

    agent.state.nowMs = LAPSED_MS;
    const lapsed = await thrownBy(connect(agent));

    expect(before).toMatchObject({ code: 'ExportNotOpen' });
    expect(lapsed).toMatchObject({ code: 'ConnectionLost' });
    expect(agent.state.problems).toEqual(['lease']);
  });

  it('by a freeze takes no job before a heartbeat was answered again', async () => {
    const agent = await rig();
    await until('it beats', () => agent.sleeping(HEARTBEAT_MS));
    const job = aJob(
      {},
      {
        kind: 'volume.create',
        input: { objectName: 'v', place: { hostId: HOST, backend: 'files', pool: 'ssd' }, sizeBytes: 4096 },
      },
    );
    await agent.store.jobs.create(job);

    agent.state.nowMs = LAPSED_MS;
    agent.look();
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    const thawed = await agent.store.jobs.get(HOST, job.id);
    agent.wake(HEARTBEAT_MS);
    await until('it beats again', () => agent.sleeping(HEARTBEAT_MS));
    agent.look();
    await until(
      'it has done its job',
      async () => (await agent.store.jobs.get(HOST, job.id))?.stage.state === 'succeeded',
    );

    expect(thawed).toEqual(job);
    expect(agent.state.problems).toEqual(['lease']);
  });
});
