import { describe, expect, it } from 'vitest';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { COPIED, createRig, endJob, jobId, type Rig } from '../helpers/rig.ts';
import { walkTo } from './walk.ts';

const COPY = ['host-a', jobId('data.copy')] as const;
const KEPT_MS = 10 * 60_000;

const tidied = ({ deps }: Rig) => sweep(deps)({ full: false, tidy: true });

const copied = async (): Promise<Rig> => {
  const rig = await createRig();
  await walkTo(rig, 'agent ends data.copy');
  await endJob(rig, ...COPY, { result: COPIED });
  return rig;
};
const forgetMigration = ({ deps }: Rig) => deps.store.migrations.remove([MIGRATION_ID], () => true);

describe('a job that has ended', () => {
  it('stays on its host’s list while its migration may ask for it', async () => {
    const rig = await copied();
    rig.clock.advanceMs(2 * KEPT_MS);

    await tidied(rig);

    expect(await rig.deps.store.jobs.get(...COPY)).toBeDefined();
  });

  it('leaves it with its token', async () => {
    const rig = await copied();
    await rig.deps.store.tokens.apply([...COPY], (token) => ({ kind: 'write', next: { ...token, acked: true } }));
    rig.clock.advanceMs(2 * KEPT_MS);
    await forgetMigration(rig);

    await tidied(rig);

    expect(await rig.deps.store.jobs.ofHost('host-a')).toEqual([]);
    expect(await rig.deps.store.tokens.ofHost('host-a')).toEqual([]);
  });
});

describe('a token that was written after its job was forgotten', () => {
  it('goes with the next tidying', async () => {
    const rig = await copied();
    await rig.deps.store.tokens.create({
      hostId: 'host-a',
      jobId: 'of a job that is gone',
      token: 'late',
      enteredAtMs: rig.clock.nowMs(),
      retryCount: 0,
      acked: false,
    });

    await tidied(rig);

    expect((await rig.deps.store.tokens.ofHost('host-a')).map((token) => token.jobId)).toEqual([COPY[1]]);
  });
});
