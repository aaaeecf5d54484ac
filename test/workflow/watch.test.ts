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
