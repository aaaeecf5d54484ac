import { describe, expect, it } from 'vitest';
import type { BackendReport, PoolReport } from '../../domain/host/host.ts';
import { createReports, LAST_STANDS_MS, type Reports } from '../../host-agent/backend-reports.ts';
import type { Driver } from '../../host-agent/drivers/contract.ts';
import { requireBackends } from '../../host-agent/drivers/require-backends.ts';
import { keepBeating } from '../../host-agent/heartbeat.ts';
import { createLease } from '../../host-agent/lease.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { createStore } from '../../store/store.ts';
import { fakeClock } from '../helpers/clock.ts';
import { aHost } from '../helpers/factories.ts';

const NEVER = new AbortController().signal;
const PATIENCE_MS = 1_000;

const pool = (freeBytes: number): PoolReport => ({
  name: 'main',
  poolId: 'id',
  state: 'up',
  reason: null,
  totalBytes: 100,
  freeBytes,
  provisionedBytes: 7,
  thin: true,
  devicePath: null,
});

type Answer = number | Error | undefined;

/** Says of its free space what the next answer is, the last one again and again; undefined: it hangs. */
const driverThat = (answers: readonly Answer[]): Driver => {
  let asked = 0;
  return {
    kind: 'file',
    poolNames: ['main'],
    capabilities: { migrationProgressReport: false },
    probe: () => new Promise(() => undefined),
    pools: async () => {
      const answer = answers[Math.min(asked, answers.length - 1)];
      asked += 1;
      if (answer instanceof Error) throw answer;
      if (answer !== undefined) return [pool(answer)];
      return new Promise<PoolReport[]>(() => undefined);
    },
  } as unknown as Driver;
};

/** A turn of the loop: whatever can answer has answered. */
const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const rig = (drivers: Readonly<Record<string, Driver>>) => {
  const clock = { nowMs: 0 };
  const all = new Map(Object.entries(drivers));
  const backends = {
    names: [...all.keys()],
    all,
    get: () => {
      throw new Error('nobody asks');
    },
    poolIdOf: () => 'id of old',
  };
  const reports: Reports = createReports({ backends, monotonicMs: () => clock.nowMs, sleep: oneTurn });
  const told = async (): Promise<[string, ...(string | number | null | undefined)[]][]> =>
    (await reports(PATIENCE_MS, NEVER)).map(({ name, pools: [main] }: BackendReport) => [
      name,
      main?.state,
      main?.state === 'up' ? main.freeBytes : main?.reason,
    ]);
  return { clock, reports, told };
};

describe('what the backends are reported to have', () => {
  it('is what they have said for this very report', async () => {
    const { told } = rig({ files: driverThat([10, 20]) });

    expect([await told(), await told()]).toEqual([[['files', 'up', 10]], [['files', 'up', 20]]]);
  });

  it('is not held up by one that hangs from the first on: that one is offline, with the identity it is known by', async () => {
    const { told, reports } = rig({ files: driverThat([10, 20]), hangs: driverThat([undefined]) });

    expect(await told()).toEqual([
      ['files', 'up', 10],
      ['hangs', 'offline', expect.stringContaining('does not answer')],
    ]);
    const [files, hangs] = await reports(PATIENCE_MS, NEVER);
    expect(files?.pools[0]?.freeBytes).toBe(20);
    expect(hangs?.pools).toMatchObject([{ name: 'main', poolId: 'id of old', freeBytes: 0 }]);
  });

  it('is what one that hangs has said last, for a while that begins with the question it leaves open', async () => {
    const { told, clock } = rig({ files: driverThat([10, undefined]) });
    const state = async () => (await told())[0]?.slice(1);
    await told();
    // nobody asked it meanwhile
    clock.nowMs = 10 * LAST_STANDS_MS;
    const asked = await state();
    clock.nowMs += LAST_STANDS_MS - 1;
    const waiting = await state();
    clock.nowMs += 1;

    expect([asked, waiting]).toEqual([
      ['up', 10],
      ['up', 10],
    ]);
    expect(await state()).toEqual(['offline', expect.stringContaining('for 30 s by now')]);
  });

  it('says of moves inside a backend whether guests may come, and whether they take space', async () => {
    const moves = { attachDuringMove: 'forbidden', takesNoSpace: true } as Driver['moves'];
    const { reports } = rig({ files: { ...driverThat([10]), ...(moves && { moves }) }, plain: driverThat([10]) });

    const [files, plain] = await reports(PATIENCE_MS, NEVER);

    expect(files).toMatchObject({ attachDuringMove: 'forbidden', moveTakesNoSpace: true });
    expect(plain).not.toHaveProperty('moveTakesNoSpace');
  });

  it('is the reason of one that fails, and what the others have', async () => {
    const { told } = rig({ fails: driverThat([new Error('no such file'), 5]), files: driverThat([10]) });

    expect(await told()).toEqual([
      ['fails', 'offline', 'no such file'],
      ['files', 'up', 10],
    ]);
    expect((await told())[0]).toEqual(['fails', 'up', 5]);
  });
});

describe('the start of an agent', () => {
  const requiring = async (known: string | undefined) => {
    const problems: string[] = [];
    const all = new Map([['hangs', driverThat([1])]]);
    const requiring = requireBackends(
      {
        backends: { all },
        known: { idOf: () => known, remember: async () => undefined },
        sleep: oneTurn,
        onProblem: (what, error) => problems.push(`${what}: ${(error as Error).message}`),
      },
      NEVER,
    );
    const ended = await Promise.race([
      requiring.then(() => true),
      oneTurn()
        .then(oneTurn)
        .then(() => false),
    ]);
    return { ended, problems };
  };

  it('is not held up by a backend that it knows and that hangs, and says so', async () => {
    expect(await requiring('id')).toEqual({
      ended: true,
      problems: [expect.stringContaining('backend hangs: it does not answer')],
    });
  });

  it('waits for one that it has never met', async () => {
    expect(await requiring(undefined)).toEqual({ ended: false, problems: [] });
  });
});

describe('the heartbeat', () => {
  it('tells what the backends have, beat by beat, whichever of them hangs', async () => {
    const store = createStore(memoryRecords());
    const host = aHost('host-a');
    await store.hosts.create(host);
    const stop = new AbortController();
    const told: unknown[] = [];
    const hosts = {
      ...store.hosts,
      apply: async (...args: Parameters<typeof store.hosts.apply>) => {
        const answer = await store.hosts.apply(...args);
        const backends = (await store.hosts.get('host-a'))?.backends ?? [];
        told.push(backends.map(({ pools }) => pools[0]?.freeBytes));
        if (told.length === 3) stop.abort();
        return answer;
      },
    };
    const { reports } = rig({ files: driverThat([10, 20, 30]), hangs: driverThat([undefined]) });

    await keepBeating(
      {
        store: { hosts },
        reports,
        clock: fakeClock(),
        lease: createLease(6_000, () => 0),
        sleep: oneTurn,
        onProblem: (_what, error) => {
          throw error;
        },
      },
      host,
      stop.signal,
    );

    expect(told).toEqual([
      [10, 0],
      [20, 0],
      [30, 0],
    ]);
  });
});
