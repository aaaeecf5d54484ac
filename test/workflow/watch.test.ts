import { describe, expect, it } from 'vitest';
import { takeJob } from '../../domain/job/steps.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { createRig, jobId, type Rig } from '../helpers/rig.ts';
import { walkTo } from './walk.ts';

const COPY = ['host-a', jobId('data.copy')] as const;
const HOST_LOST_AFTER_MS = 15_000;
const PASS_EVERY_MS = 1_000;
const AWAY_MS = 60_000;

const pass = ({ deps }: Rig) => sweep(deps)({ full: false });

/** The sweeper comes by all the time. */
const passesFor = async (rig: Rig, ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += PASS_EVERY_MS) {
    rig.clock.advanceMs(PASS_EVERY_MS);
    await pass(rig);
  }
};

const copying = async (): Promise<Rig> => {
  const rig = await createRig();
  await walkTo(rig, 'agent ends data.copy');
  await rig.deps.store.jobs.apply([...COPY], takeJob('host-a-1', 0, rig.clock.nowMs()));
  await pass(rig);
  return rig;
};
const stateOf = async ({ deps }: Rig): Promise<string | undefined> => (await deps.store.jobs.get(...COPY))?.stage.state;

describe('hosts that nobody could hear, as the control plane was away itself,', () => {
  it('are not lost when it comes back, however long it was away', async () => {
    const rig = await copying();
    rig.clock.advanceMs(AWAY_MS);

    await pass(rig);
    await passesFor(rig, HOST_LOST_AFTER_MS - PASS_EVERY_MS);

    expect(await stateOf(rig)).toBe('running');
  });

  it('are lost when they are not heard of for as long again', async () => {
    const rig = await copying();
    rig.clock.advanceMs(AWAY_MS);
    await pass(rig);

    await passesFor(rig, HOST_LOST_AFTER_MS);

    expect(await stateOf(rig)).toBe('failed');
  });
});

describe('a break before the sweeper’s first pass of all', () => {
  it('is one like any other: nobody is lost for it', async () => {
    const rig = await createRig();
    await walkTo(rig, 'agent ends data.copy');
    await rig.deps.store.jobs.apply([...COPY], takeJob('host-a-1', 0, rig.clock.nowMs()));
    rig.clock.advanceMs(AWAY_MS);

    await pass(rig);
    await passesFor(rig, HOST_LOST_AFTER_MS - PASS_EVERY_MS);

    expect(await stateOf(rig)).toBe('running');
  });
});

/** The sweeper's deps while something happens before each read of a volume or of a job. */
const disturbed = ({ deps }: Rig, before: (read: 'volume' | 'job') => void): Rig['deps'] => {
  const { volumes, jobs } = deps.store;
  const getVolume = (id: string) => {
    before('volume');
    return volumes.get(id);
  };
  const getJob = (hostId: string, jobIdOf: string) => {
    before('job');
    return jobs.get(hostId, jobIdOf);
  };
  return { ...deps, store: { ...deps.store, volumes: { ...volumes, get: getVolume }, jobs: { ...jobs, get: getJob } } };
};

describe('a sweeper that was frozen in the middle of a pass', () => {
  it('gives up no host for the time in which it could hear none', async () => {
    const rig = await copying();
    let frozen = false;
    const deps = disturbed(rig, (read) => {
      if (read === 'volume' || frozen) return;
      frozen = true;
      rig.clock.advanceMs(AWAY_MS);
    });

    await sweep(deps)({ full: false });
    await passesFor(rig, HOST_LOST_AFTER_MS - PASS_EVERY_MS);

    expect(frozen).toBe(true);
    expect(await stateOf(rig)).toBe('running');
  });
});

describe('a sweeper that has so much to look at that each pass takes long', () => {
  it('is there all the same: a host that is silent is lost', async () => {
    const rig = await copying();
    const startedAtMs = rig.clock.nowMs();
    const deps = disturbed(rig, (read) => {
      if (read === 'volume') rig.clock.advanceMs(1_200);
    });

    await sweep(deps)({ full: false });
    const passMs = rig.clock.nowMs() - startedAtMs;
    for (let passes = 0; passes < 4; passes++) await sweep(deps)({ full: false });

    expect(passMs).toBeGreaterThan(HOST_LOST_AFTER_MS / 2);
    expect(await stateOf(rig)).toBe('failed');
  });
});

describe('a host that beats rarely', () => {
  it('is not lost before it counts as down', async () => {
    const rig = await copying();
    for (const id of ['host-a', 'host-b'])
      await rig.deps.store.hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, heartbeatMs: 20_000 } }));

    await passesFor(rig, 5 * 20_000 - PASS_EVERY_MS);
    const before = await stateOf(rig);
    await passesFor(rig, PASS_EVERY_MS);

    expect([before, await stateOf(rig)]).toEqual(['running', 'failed']);
  });
});

describe('a host that is silent while the control plane is there', () => {
  it('is lost after its time, counted from its last heartbeat', async () => {
    const rig = await copying();

    await passesFor(rig, HOST_LOST_AFTER_MS - PASS_EVERY_MS);
    const before = await stateOf(rig);
    await passesFor(rig, PASS_EVERY_MS);

    expect(before).toBe('running');
    expect(await stateOf(rig)).toBe('failed');
  });
});
