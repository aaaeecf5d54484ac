import { describe, expect, it } from 'vitest';
import { takeJob } from '../../domain/job/steps.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { createRig, jobId, type Rig } from '../helpers/rig.ts';
import { walkTo } from './walk.ts';

const COPY = ['host-a', jobId('data.copy')] as const;
const NEW_ADDRESS = 'host-b:40777';

const copying = async (): Promise<Rig> => {
  const rig = await createRig();
  await walkTo(rig, 'agent ends data.copy');
  await rig.deps.store.jobs.apply([...COPY], takeJob('host-a-1', 0, rig.clock.nowMs()));
  rig.queues.looks.length = 0;
  return rig;
};
const comesBack = ({ deps }: Rig, change: { address: string; fingerprint?: string }): Promise<unknown> =>
  deps.store.hosts.apply(['host-b'], (host) => ({ kind: 'write', next: { ...host, ...change } }));
const toldOf = async ({ deps }: Rig): Promise<string | undefined> =>
  (await deps.store.jobs.get(...COPY))?.control.peerAddress;
const pass = ({ deps }: Rig) => sweep(deps)({ full: false });

describe('the agent of a copy', () => {
  it('is told, once, that the other agent came back at another address', async () => {
    const rig = await copying();
    await pass(rig);
    const before = await toldOf(rig);
    await comesBack(rig, { address: NEW_ADDRESS });

    await pass(rig);
    await pass(rig);

    expect(before).toBeUndefined();
    expect(await toldOf(rig)).toBe(NEW_ADDRESS);
    expect(rig.queues.looks).toEqual(['host-a']);
  });

  it('is told nothing of one that came back as somebody else, without its data directory', async () => {
    const rig = await copying();
    await comesBack(rig, { address: NEW_ADDRESS, fingerprint: 'f'.repeat(64) });

    await pass(rig);

    expect(await toldOf(rig)).toBeUndefined();
  });
});
