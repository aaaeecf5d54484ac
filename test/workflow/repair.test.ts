import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job/job.ts';
import { takeJob } from '../../domain/job/steps.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { finalize } from '../../functions/workflow/steps/finalize.ts';
import { stopJobs } from '../../functions/workflow/steps/stop-jobs.ts';
import { MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, endJob, entered, jobId, type Rig, RUN_1, VERIFIED, wasThere } from '../helpers/rig.ts';
import { type Blow, type Played, play } from '../helpers/sim/script.ts';
import { ATTACHED, CANCELLED, MIGRATION, NOT_REPAIRED, REPAIRED, rots } from './scenes.ts';
import { walkTo } from './walk.ts';

/** What is read back differs from what was copied: once it is repaired, twice it is the end of the run. */

const statesOf = ({ trace }: Played): string[] =>
  trace.flatMap((line) => /-1 enters (\w+)$/.exec(line)?.[1] ?? []).filter((state, i, all) => state !== all[i - 1]);

const onlyMigration = ({ sim }: Played) => {
  const [migration] = sim.table.peek.migrations();
  if (!migration) throw new Error('There is no migration.');
  return migration;
};

const BEFORE = ['NotifyStarted', 'Validate', 'LockVolume', 'PrepareDestination', 'CopyData', 'VerifyData', 'Finalize'];
const ONCE_MORE = ['RepairData', 'VerifyRepaired', 'Finalize'];

const CHUNK_BYTES = 1024 * 1024;
/** What is not zero of each chunk, to the next 64 KiB. */
const WRITTEN_BYTES = 64 * 1024;

describe('a difference that a repair takes away', () => {
  it('is repaired by the state machine itself, and the migration succeeds', async () => {
    const played = await play(REPAIRED);

    expect(played.broken).toBeUndefined();
    expect(statesOf(played)).toEqual([...BEFORE, ...ONCE_MORE, 'NotifyEnded', 'RemoveSource', 'RecordCleanup']);
    expect([...played.checks.outcomes.values()]).toEqual(['success']);
  });

  it('stands in the timeline with both digests and with what was copied again', async () => {
    const { story, report } = onlyMigration(await play(REPAIRED));

    expect(story.map(({ to }) => to)).toEqual(expect.arrayContaining(['verifying', 'repairing', 'reverifying']));
    expect(story.find(({ to }) => to === 'repairing')?.why).toMatch(
      /^[0-9a-f]{64} was copied, [0-9a-f]{64} was read back$/,
    );
    expect(story.find(({ to }) => to === 'reverifying')?.why).toBe('copied again: the bytes [1048576, 2097152)');
    expect(report?.destinationDigest).toBe(report?.sourceDigest);
    expect(report).toMatchObject({ bytesRead: 3 * CHUNK_BYTES, bytesWritten: 3 * WRITTEN_BYTES });
  });

  it('is one run: one word of its start and one of its end, and no event goes back', async () => {
    const { sim } = await play(REPAIRED);

    const told = sim.events.map(({ detail }) => detail);
    const types = told.map((detail) => detail.event_type).filter((type) => /start|end$/.test(type));
    expect(types).toEqual(['volume.migrate.start', 'volume.migrate.end']);
    const sequences = told.map((detail) => detail.sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
  });
});

describe('a difference that stays', () => {
  it('ends the run after one repair, with what differs and where the volume is', async () => {
    const played = await play(NOT_REPAIRED);
    const { stage } = onlyMigration(played);

    expect(played.broken).toBeUndefined();
    expect(statesOf(played)).toEqual([
      ...BEFORE,
      ...ONCE_MORE,
      'ReleaseClaim',
      'StopJobs',
      'NotifyFailed',
      'RemoveDestination',
      'RecordRollback',
    ]);
    expect(stage).toMatchObject({ state: 'failed', reason: { code: 'DigestMismatch' } });
    const message = stage.state === 'failed' ? stage.reason.message : '';
    expect(message).toContain('in the bytes [1048576, 2097152), also after one repair');
    expect(message).toContain('The source is untouched, and the volume is there: host-a@files#ssd.');
  });
});

describe('while it is being repaired', () => {
  /** Everything that is read back for the first time differs. */
  const differsOnce = (): Blow => {
    let rotten = false;
    return (turn, sim) => {
      if (!rotten && turn.label.startsWith('reads back')) {
        rotten = true;
        void rots(sim);
      }
      return 'none';
    };
  };

  it.each([
    ['cancel', CANCELLED, 'Cancelled'],
    ['attach', ATTACHED, 'AbortedByAttach'],
  ])('a migration can be ended by a %s as while copying', async (_what, { ask, meanwhile }, code) => {
    if (!meanwhile) throw new Error('Nobody asks for anything.');
    const scene = { ...MIGRATION, ask, meanwhile: { ...meanwhile, at: /reads chunk 1 of .* again/ } };

    const played = await play(scene, differsOnce());

    expect(played.broken).toBeUndefined();
    expect(onlyMigration(played).stage).toMatchObject({ state: 'failed', reason: { code } });
    expect(statesOf(played)).toContain('RepairData');
  });
});

const REPAIR = ['host-a', jobId('data.repair')] as const;
const DIFFERENT = { ...VERIFIED, digest: 'another' };
const DIFFERING = { ranges: [{ fromByte: 0, endByte: 7 }], more: 0 };
const REPAIRED_RESULT = {
  digest: 'digest',
  writeEpoch: 0,
  generation: 2,
  differing: DIFFERING,
  hashes: ['hash'],
  bytesRead: 1,
  bytesWritten: 1,
  durationMs: 1,
};

/** The copy was read back, and differs. */
const differing = async (): Promise<Rig> => {
  const rig = await createRig();
  await walkTo(rig, 'agent ends data.verify');
  await endJob(rig, 'host-b', jobId('data.verify'), { result: DIFFERENT });
  return rig;
};

const repaired = async (change: Partial<typeof REPAIRED_RESULT> = {}): Promise<Rig> => {
  const rig = await differing();
  await dispatch(rig.deps)(entered(rig, 'data.repair'));
  await endJob(rig, ...REPAIR, { result: { ...REPAIRED_RESULT, ...change } });
  return rig;
};

const reverified = async (rig: Rig, digest: string, generation = 2): Promise<void> => {
  await dispatch(rig.deps)(entered(rig, 'data.reverify'));
  const result = { digest, generation, readback: 'direct' as const };
  await endJob(rig, 'host-b', jobId('data.reverify'), { result });
};

describe('RepairData', () => {
  it('is a job of the source’s host that knows both digests and the generation that was sealed', async () => {
    const rig = await differing();

    await dispatch(rig.deps)(entered(rig, 'data.repair'));

    expect(await rig.deps.store.jobs.get(...REPAIR)).toMatchObject({
      kind: 'data.repair',
      input: {
        source: SOURCE_OBJECT,
        peer: { address: 'host-b:9810', fingerprint: 'fingerprint-of-host-b' },
        sourceDigest: 'digest',
        sealed: { digest: 'another', generation: 1 },
        writeEpoch: 0,
      },
    });
  });

  it('is made once, however often its state is entered', async () => {
    const rig = await repaired();

    await dispatch(rig.deps)(entered(rig, 'data.repair', 1));

    expect(rig.tasks.answers.at(-1)).toMatchObject({ token: 'data.repair/1/1', ok: true });
    expect((await rig.migration()).jobs.filter(({ kind }) => kind === 'data.repair')).toHaveLength(1);
    expect((await rig.deps.store.jobs.get(...REPAIR))?.attempt).toBe(1);
  });

  it('does not happen when the volume may have changed since it was copied', async () => {
    const rig = await differing();
    await rig.deps.store.volumes.apply([VOLUME_ID], (volume) => ({
      kind: 'write',
      next: { ...volume, writeEpoch: volume.writeEpoch + 1 },
    }));

    const refused = await refusalOf(dispatch(rig.deps)(entered(rig, 'data.repair')));

    expect(refused.code).toBe('NoProof');
    expect(await rig.deps.store.jobs.get(...REPAIR)).toBeUndefined();
  });

  it('is stopped with the run’s other jobs', async () => {
    const rig = await differing();
    await dispatch(rig.deps)(entered(rig, 'data.repair'));

    expect(await stopJobs(rig.deps)(RUN_1)).toEqual({ stopped: 1 });

    expect((await rig.deps.store.jobs.get(...REPAIR))?.stage.state).toBe('failed');
  });

  it('fails when either of its hosts is gone', async () => {
    const rig = await differing();
    rig.executions.set(`${MIGRATION_ID}-1`, { state: 'RUNNING', cause: '' });
    await dispatch(rig.deps)(entered(rig, 'data.repair'));
    await rig.deps.store.jobs.apply([...REPAIR], takeJob('host-a-1', 0, rig.clock.nowMs()));
    rig.clock.advanceMs(15_000);
    await rig.deps.store.hosts.apply(['host-a'], (host) => ({
      kind: 'write',
      next: { ...host, heartbeatAtMs: rig.clock.nowMs() },
    }));
    await wasThere(rig);

    await sweep(rig.deps)({ full: false });

    expect((await rig.deps.store.jobs.get(...REPAIR))?.stage).toMatchObject({
      state: 'failed',
      failure: { code: 'HostLost' },
    });
  });
});

describe('VerifyRepaired', () => {
  it('expects what the repair has written, and is told what was repaired', async () => {
    const rig = await repaired();

    await dispatch(rig.deps)(entered(rig, 'data.reverify'));

    expect((await rig.deps.store.jobs.get('host-b', jobId('data.reverify')))?.input).toMatchObject({
      expected: { digest: 'digest', generation: 2 },
      repaired: { differing: DIFFERING, hashes: ['hash'], before: 'another' },
    });
  });
});

describe('Finalize after a repair', () => {
  it('takes the proof from the repair and from what was read back after it', async () => {
    const rig = await repaired();
    await reverified(rig, 'digest');

    await finalize(rig.deps)(RUN_1);

    expect((await rig.volume()).lastOutcome).toMatchObject({
      result: 'success',
      proof: { kind: 'digest', digest: 'digest', generation: 2, writeEpoch: 0 },
    });
  });

  it('names what was repaired when nobody can tell what differs now', async () => {
    const rig = await repaired();
    await reverified(rig, 'a third');

    const refused = await refusalOf(finalize(rig.deps)(RUN_1));

    expect(refused).toMatchObject({ code: 'DigestMismatch' });
    expect(refused.message).toContain('in the bytes [0, 7), also after one repair');
  });

  it.each<[string, (rig: Rig) => Promise<unknown>]>([
    ['was not read back after it', async () => undefined],
    ['was sealed at another generation', (rig) => reverified(rig, 'digest', 3)],
  ])('does not happen when what was repaired %s', async (_why, happens) => {
    const rig = await repaired();
    await happens(rig);

    expect((await refusalOf(finalize(rig.deps)(RUN_1))).code).toBe('NoProof');
  });

  it('does not fall back on the first copy while a repair is under way: its bytes are changing', async () => {
    const rig = await differing();
    await dispatch(rig.deps)(entered(rig, 'data.repair'));
    await rig.deps.store.jobs.apply(['host-b', jobId('data.verify')], (job) => ({
      kind: 'write',
      next: { ...job, stage: { ...job.stage, result: VERIFIED } } as Job,
    }));

    expect((await refusalOf(finalize(rig.deps)(RUN_1))).code).toBe('NoProof');
  });

  it('does not happen when the repair speaks of another epoch than the copy', async () => {
    const rig = await repaired({ writeEpoch: 1 });
    await reverified(rig, 'digest');

    expect((await refusalOf(finalize(rig.deps)(RUN_1))).code).toBe('NoProof');
  });
});
