import { describe, expect, it } from 'vitest';
import type { PoolReport } from '../../domain/host/host.ts';
import type { Driver } from '../../host-agent/drivers/contract.ts';
import { keepBeating } from '../../host-agent/heartbeat.ts';
import { createLease } from '../../host-agent/lease.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore } from '../../store/store.ts';
import { fakeClock } from '../helpers/clock.ts';
import { aHost } from '../helpers/factories.ts';

const pool = (freeBytes: number): PoolReport => ({
  name: 'main',
  poolId: 'id',
  state: 'up',
  reason: null,
  totalBytes: 100,
  freeBytes,
  provisionedBytes: 0,
  thin: true,
  devicePath: null,
});

/** Beats until `times`; `answers` are what the backend says of its free space, and undefined where it hangs. */
const beats = async (times: number, answers: readonly (number | undefined)[]): Promise<(number | undefined)[]> => {
  const store = createStore(memoryRecords());
  const host = aHost('host-a');
  await store.hosts.create(host);
  const stop = new AbortController();
  const told: (number | undefined)[] = [];
  let asked = 0;
  const hosts = {
    ...store.hosts,
    apply: async (...args: Parameters<typeof store.hosts.apply>) => {
      const answer = await store.hosts.apply(...args);
      told.push((await store.hosts.get('host-a'))?.backends[0]?.pools[0]?.freeBytes);
      if (told.length === times) stop.abort();
      return answer;
    },
  };
  const driver = {
    kind: 'file',
    capabilities: { migrationProgressReport: false },
    pools: async () => {
      const freeBytes = answers[asked];
      asked += 1;
      if (freeBytes !== undefined) return [pool(freeBytes)];
      return new Promise<PoolReport[]>(() => undefined);
    },
  } as unknown as Driver;
  await keepBeating(
    {
      store: { hosts },
      backends: { names: ['files'], all: new Map([['files', driver]]), get: () => driver },
      clock: fakeClock(),
      lease: createLease(6_000, () => 0),
      // a turn of the loop: whatever can answer has answered
      sleep: () => new Promise((resolve) => setImmediate(resolve)),
      onProblem: (_what, error) => {
        throw error;
      },
    },
    host,
    stop.signal,
  );
  return told;
};

describe('the heartbeat', () => {
  it('tells what the backends have said for this very beat', async () => {
    expect(await beats(3, [10, 20, 30])).toEqual([10, 20, 30]);
  });

  it('goes on while a backend hangs, with what that said last', async () => {
    expect(await beats(4, [10, undefined])).toEqual([10, 10, 10, 10]);
  });
});
