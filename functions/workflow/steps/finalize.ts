import { volmoveError } from '../../../domain/error.ts';
import { migrationJobId, resultOf } from '../../../domain/job/job.ts';
import { proofOf } from '../../../domain/job/proof.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import type { ObjectRef } from '../../../domain/placement.ts';
import { finalize as finalizeVolume } from '../../../domain/volume/claim.ts';
import type { Proof } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { type Claimed, readClaimed } from '../claimed.ts';
import { dataJobsOf, preparedOf } from '../data-jobs.ts';
import type { Run } from '../handler.ts';

/**
 * Finalize: one conditional write, and the volume lives at the destination. Only with a proof, made from the job items as
 * they stand now and never from a task's output. Once the write has happened a repeat finds it there and agrees.
 */
export const finalize =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<{ digest: string | null }> => {
    const done = await alreadyDone(deps, migrationId, run);
    if (done) return { digest: done.kind === 'digest' ? done.digest : null };
    const claimed = await readClaimed(deps)({ migrationId, run });
    const { volume } = claimed;
    const { destination, proof } = await (volume.claim.phase === 'switching'
      ? switchedOver(deps, claimed)
      : copied(deps, claimed));
    const nowMs = deps.clock.nowMs();
    await deps.store.migrations.apply([migrationId], enterPhase({ run, phase: 'finalizing', who: 'execution', nowMs }));
    await deps.store.volumes.apply([volume.id], finalizeVolume({ migrationId, run, destination, proof, nowMs }));
    return { digest: proof.kind === 'digest' ? proof.digest : null };
  };

interface Arrived {
  readonly destination: ObjectRef;
  readonly proof: Proof;
}

const copied = async (deps: Deps, claimed: Claimed): Promise<Arrived> => {
  const { object: destination } = await preparedOf(deps)(claimed);
  return { destination, proof: proofOf(await dataJobsOf(deps)(claimed), claimed.volume.claim.options.verify) };
};

/** Where the volume is now, in the backend's own words. */
const switchedOver = async (deps: Deps, { migration, volume }: Claimed): Promise<Arrived> => {
  const { run, destination, move } = volume.claim;
  const jobId = migrationJobId(migration.id, run, 'backend.finish');
  const finished = move && resultOf(await deps.store.jobs.get(move.hostId, jobId), 'backend.finish');
  if (!finished) throw volmoveError('NoProof', { reason: 'the backend has not said that it has switched over' });
  const { objectName } = move.destination;
  return { destination: { ...destination, objectName, ...finished }, proof: { kind: 'backend' } };
};

/** A step that was retried after its effect: the volume's outcome says so. */
const alreadyDone = async (deps: Deps, migrationId: string, run: number) => {
  const migration = await deps.store.migrations.get(migrationId);
  const volume = migration && (await deps.store.volumes.get(migration.volumeId));
  const outcome = volume?.lastOutcome;
  return outcome?.migrationId === migrationId && outcome.run === run && outcome.result === 'success'
    ? outcome.proof
    : undefined;
};
