import { describe, expect, it } from 'vitest';
import { cancelJob } from '../../functions/shared/cancel-job.ts';
import { aJob, SOURCE_OBJECT } from '../helpers/factories.ts';
import { createRig } from '../helpers/rig.ts';
import { play } from '../helpers/sim/script.ts';
import { INSIDE } from '../helpers/sim/sim.ts';
import { ATTACHED_INSIDE, CANCELLED_INSIDE, MOVED_INSIDE, REFUSED_INSIDE, RESET_INSIDE } from './scenes.ts';

/** Moves that a backend makes by itself, through the real state machine, steps and jobs. */

const states = (trace: readonly string[]): string[] =>
  trace.flatMap((line) => /^. execution .* enters (\w+)$/.exec(line)?.[1] ?? []);
const jobs = (trace: readonly string[]): string[] => [
  ...new Set(trace.flatMap((line) => /JOB#\S+\.\d+\.([a-z]+\.[a-z]+) over 0$/.exec(line)?.[1] ?? [])),
];

describe('a move inside a backend', () => {
  it('ends at the destination, proved by the backend, with nothing copied and no source to remove', async () => {
    const { sim, broken, trace } = await play(MOVED_INSIDE);

    expect(broken).toBeUndefined();
    const [volume] = sim.table.peek.volumes();
    expect(volume).toMatchObject({
      location: { ...INSIDE },
      retained: [],
      lastOutcome: { proof: { kind: 'backend' } },
    });
    expect(jobs(trace)).toEqual(['backend.move', 'backend.finish']);
    expect(sim.table.peek.migrations()[0]?.cleanup).toEqual([]);
  });

  it('tells its story phase by phase', async () => {
    const { sim } = await play(MOVED_INSIDE);

    const [migration] = sim.table.peek.migrations();
    const phases = ['requested', 'validating', 'locking', 'moving', 'switching', 'finalizing', 'succeeded'];
    expect(migration?.story.map(({ to }) => to)).toEqual(phases);
  });

  it('is undone before the claim is given back when it is cancelled', async () => {
    const { sim, broken, trace } = await play(CANCELLED_INSIDE);

    expect(broken).toBeUndefined();
    expect(jobs(trace)).toEqual(['backend.move', 'backend.undo']);
    const entered = states(trace);
    expect(entered.indexOf('UndoMove')).toBeLessThan(entered.indexOf('StopJobs'));
    expect(sim.table.peek.volumes()[0]).toMatchObject({
      claim: null,
      migrationStatus: 'error',
      lastOutcome: { reason: { code: 'Cancelled', message: 'Cancelled by admin.' } },
    });
  });

  it('goes back for the reason that there was, also when another run has to see to it', async () => {
    const { sim, broken } = await play(CANCELLED_INSIDE, ({ label }, { engine }) => {
      const [first] = engine.executions();
      if (first && /^goes back from/.test(label)) engine.abort(first, 'ABORTED');
      return 'none';
    });

    expect(broken).toBeUndefined();
    expect(sim.engine.executions()).toHaveLength(2);
    expect(sim.table.peek.volumes()[0]?.lastOutcome).toMatchObject({ run: 2, reason: { code: 'Cancelled' } });
  });

  it.each(['backend.finish', 'backend.undo'] as const)('has no wish stop its %s', async (kind) => {
    const rig = await createRig();
    const job = aJob(
      {},
      {
        kind,
        input: {
          source: SOURCE_OBJECT,
          destination: { pool: 'hdd', objectName: 'made' },
          sizeBytes: 1,
          progressIntervalSeconds: null,
        },
      },
    );
    await rig.deps.store.jobs.create(job);
    const why = { code: 'Cancelled', message: 'Cancelled by admin.', remedy: 'None.' } as const;

    expect(await cancelJob(rig.deps)(job.hostId, job.id, why)).toBe(false);
    expect((await rig.deps.store.jobs.get(job.hostId, job.id))?.stage.state).toBe('queued');
  });

  it('is a copy when the backend says no, and the refusal leaves nothing to undo', async () => {
    const { sim, broken, trace } = await play(REFUSED_INSIDE);

    expect(broken).toBeUndefined();
    expect(jobs(trace)).toEqual(expect.arrayContaining(['backend.move', 'destination.prepare', 'data.copy']));
    expect(jobs(trace)).not.toContain('backend.undo');
    expect(sim.table.peek.volumes()[0]?.lastOutcome).toMatchObject({ proof: { kind: 'digest' } });
  });

  it.each([
    { scene: ATTACHED_INSIDE, what: 'a guest that wants it meanwhile waits for its end' },
    { scene: RESET_INSIDE, what: 'a reset of the status is refused meanwhile', refused: 'MoveNotUndone' },
  ])('succeeds: $what', async ({ scene, refused = 'accepted' }) => {
    const { sim, broken, more } = await play(scene);

    expect(broken).toBeUndefined();
    expect(new Set(more)).toEqual(new Set([refused]));
    expect(sim.table.peek.volumes()[0]?.lastOutcome?.result).toBe('success');
  });

  const BEGINS = ['NotifyStarted', 'Validate', 'LockVolume', 'MoveWithinBackend'];
  const ENDS = ['Finalize', 'NotifyEnded', 'RemoveSource', 'RecordCleanup'];
  const GOES_BACK = ['ReleaseClaim', 'UndoMove', 'ReleaseClaim', 'StopJobs', 'NotifyFailed'];

  it.each([
    { scene: MOVED_INSIDE, path: [...BEGINS, 'SwitchOver', 'FinishMove', ...ENDS] },
    { scene: REFUSED_INSIDE, path: [...BEGINS, 'PrepareDestination', 'CopyData', 'VerifyData', ...ENDS] },
    { scene: CANCELLED_INSIDE, path: [...BEGINS, 'SwitchOver', ...GOES_BACK, 'RemoveDestination', 'RecordRollback'] },
  ])('enters the states of its story and no other: $scene.name', async ({ scene, path }) => {
    expect(states((await play(scene)).trace)).toEqual(path);
  });
});
