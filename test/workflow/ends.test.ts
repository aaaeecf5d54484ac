import { describe, expect, it } from 'vitest';
import { claim } from '../../domain/volume/claim.ts';
import { finalize } from '../../functions/workflow/steps/finalize.ts';
import { notifyEnded } from '../../functions/workflow/steps/notify-ended.ts';
import { releaseClaim } from '../../functions/workflow/steps/release-claim.ts';
import { stopJobs } from '../../functions/workflow/steps/stop-jobs.ts';
import { ELSEWHERE, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { createRig, jobId, type Rig, RUN_1 } from '../helpers/rig.ts';
import { REASON, walkTo } from './walk.ts';

/** Finalize, and what undoes a run that does not get so far. */

describe('Finalize', () => {
  const jobOf = (rig: Rig, hostId: string, kind: 'data.copy' | 'data.verify', result: object) =>
    rig.deps.store.jobs.apply([hostId, jobId(kind)], (job) => ({
      kind: 'write',
      next: {
        ...job,
        stage: { ...job.stage, result: { ...('result' in job.stage ? job.stage.result : {}), ...result } },
      } as never,
    }));

  it.each<[string, (rig: Rig) => Promise<unknown>, string]>([
    ['the digests differ', (rig) => jobOf(rig, 'host-b', 'data.verify', { digest: 'other' }), 'DigestMismatch'],
    ['another generation was sealed', (rig) => jobOf(rig, 'host-b', 'data.verify', { generation: 2 }), 'NoProof'],
    ['the copy is of another epoch', (rig) => jobOf(rig, 'host-a', 'data.copy', { writeEpoch: 7 }), 'NoProof'],
    ['the source has no digest', (rig) => jobOf(rig, 'host-a', 'data.copy', { digest: null }), 'NoProof'],
  ])('does not happen when %s', async (_why, change, code) => {
    const rig = await createRig();
    await walkTo(rig, 'Finalize');
    await change(rig);

    const refused = await refusalOf(finalize(rig.deps)(RUN_1));

    expect(refused.code).toBe(code);
    expect(await rig.volume()).toMatchObject({ location: SOURCE_OBJECT, claim: { run: 1 } });
  });

  it('and ReleaseClaim exclude each other', async () => {
    const finalized = await createRig();
    await walkTo(finalized, 'NotifyEnded');
    const released = await createRig();
    await walkTo(released, 'Finalize');

    const afterwards = await releaseClaim(finalized.deps)({ ...RUN_1, error: REASON });
    await releaseClaim(released.deps)({ ...RUN_1, error: REASON });
    const refused = await refusalOf(finalize(released.deps)(RUN_1));

    expect(afterwards).toEqual({ outcome: 'success', error: '', cause: '' });
    expect(refused).toMatchObject({ code: 'ClaimLost' });
    expect(refused.message).toContain('It is full.');
  });
});

describe('ReleaseClaim', () => {
  it.each([
    ['a code of ours', { Error: 'NoSpace', Cause: '{"errorMessage":"It is full."}' }, 'NoSpace', 'It is full.'],
    ['a plain cause', { Error: 'NoSpace', Cause: 'full' }, 'NoSpace', 'full'],
    ['a time-out of the state machine', { Error: 'States.Timeout', Cause: '' }, 'TimedOut', 'did not end in time'],
    ['anything else', { Error: 'TypeError', Cause: '{"errorMessage":"x"}' }, 'Internal', 'TypeError: x'],
  ])('takes over the reason from %s', async (_what, error, code, message) => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');

    const released = await releaseClaim(rig.deps)({ ...RUN_1, error });

    expect(released).toMatchObject({ outcome: 'error', error: code });
    expect((await rig.volume()).lastOutcome).toMatchObject({ result: 'error', reason: { code } });
    expect(released.cause).toContain(message);
  });

  it('leaves the claim to a newer run of the same migration', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');
    await rig.deps.store.volumes.apply([VOLUME_ID], (volume) => ({
      kind: 'write',
      next: { ...volume, claim: volume.claim && { ...volume.claim, run: 2 } },
    }));

    const released = await releaseClaim(rig.deps)({ ...RUN_1, error: REASON });

    expect(released.outcome).toBe('superseded');
    expect((await rig.volume()).claim?.run).toBe(2);
  });

  it('says what became of a migration whose volume has been claimed by another since', async () => {
    const rig = await createRig();
    await walkTo(rig);
    const settled = { migrationId: MIGRATION_ID, run: 1 };
    const { options } = await rig.migration();
    await rig.deps.store.volumes.apply(
      [VOLUME_ID],
      claim({ migrationId: 'another', run: 1, destination: ELSEWHERE, options, settled, nowMs: rig.clock.nowMs() }),
    );

    const released = await releaseClaim(rig.deps)({ ...RUN_1, error: REASON });

    expect(released.outcome).toBe('success');
    expect((await rig.volume()).claim?.migrationId).toBe('another');
  });
});

describe('StopJobs', () => {
  it('ends a job that nobody has taken, and tells the agent of one that somebody has', async () => {
    const queued = await createRig();
    await walkTo(queued, 'agent ends data.copy');
    const taken = await createRig();
    await walkTo(taken, 'agent ends data.copy');
    await taken.deps.store.jobs.apply(['host-a', jobId('data.copy')], (job) => ({
      kind: 'write',
      next: { ...job, attempt: 1, stage: { state: 'running', incarnation: 'host-a-1', sinceMs: 0 } },
    }));
    taken.queues.looks.length = 0;

    await stopJobs(queued.deps)(RUN_1);
    await stopJobs(taken.deps)(RUN_1);

    expect((await queued.deps.store.jobs.get('host-a', jobId('data.copy')))?.stage.state).toBe('failed');
    expect(await taken.deps.store.jobs.get('host-a', jobId('data.copy'))).toMatchObject({
      control: { cancel: true },
      stage: { state: 'running' },
    });
    expect(taken.queues.looks).toEqual(['host-a']);
  });
});

describe('NotifyEnded', () => {
  it('fails, to be tried again, while the volume has no outcome of this run', async () => {
    const rig = await createRig();
    await walkTo(rig, 'CopyData');

    expect((await refusalOf(notifyEnded(rig.deps)(RUN_1))).code).toBe('Internal');
  });
});
