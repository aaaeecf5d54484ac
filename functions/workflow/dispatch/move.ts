import { volmoveError } from '../../../domain/error.ts';
import { type JobKind, type JobSpec, migrationJobId, type PrepareResult, resultOf } from '../../../domain/job/job.ts';
import type { Phase } from '../../../domain/migration/migration.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Claimed } from '../claimed.ts';
import { honourCancel, offerJob, type Waiting } from './offer.ts';

/** What the destination's agent made for this run, read from its job and from nowhere else. */
export const preparedOf =
  (deps: Pick<Deps, 'store'>) =>
  async ({ migration, volume }: Claimed): Promise<PrepareResult> => {
    const { run, destination } = volume.claim;
    const job = await deps.store.jobs.get(destination.hostId, migrationJobId(migration.id, run, 'destination.prepare'));
    const prepared = resultOf(job, 'destination.prepare');
    if (!prepared) throw volmoveError('NoProof', { reason: 'the destination was not prepared' });
    return prepared;
  };

const dispatchPhase =
  (deps: Deps, phase: Phase, kind: JobKind, hostId: string, spec: JobSpec) =>
  async ({ migration, volume }: Claimed, waiting: Waiting): Promise<void> => {
    const { run, options } = volume.claim;
    const jobId = migrationJobId(migration.id, run, kind);
    await deps.store.migrations.apply(
      [migration.id],
      enterPhase({ run, phase, who: 'execution', nowMs: deps.clock.nowMs(), job: { hostId, jobId, kind, run } }),
    );
    await offerJob(deps)(
      {
        hostId,
        id: jobId,
        volumeId: volume.id,
        projectId: volume.projectId,
        migrationId: migration.id,
        run,
        spec,
        control: { bandwidthBytesPerSecond: options.bandwidthBytesPerSecond ?? null },
      },
      waiting,
    );
    await honourCancel(deps)(migration.id, hostId, jobId);
  };

/** CopyData: the source's agent reads the volume and writes it to the destination's export. */
export const dispatchCopy =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { volume } = claimed;
    const prepared = await preparedOf(deps)(claimed);
    if (!volume.location) throw volmoveError('ClaimLost', { reason: 'the volume has no location' });
    const input = {
      source: volume.location,
      sizeBytes: volume.sizeBytes,
      peer: { address: prepared.address, fingerprint: prepared.fingerprint },
      destinationIsZero: prepared.zero,
      writeEpoch: volume.writeEpoch,
      progressIntervalSeconds: volume.claim.options.progressIntervalSeconds ?? null,
      digest: volume.claim.options.verify === 'full',
    };
    await dispatchPhase(deps, 'copying', 'data.copy', volume.location.hostId, { kind: 'data.copy', input })(
      claimed,
      waiting,
    );
  };

/** VerifyData: the destination's agent seals the generation, then reads back what is stored. */
export const dispatchVerify =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { volume } = claimed;
    const prepared = await preparedOf(deps)(claimed);
    const input = {
      object: prepared.object,
      sizeBytes: volume.sizeBytes,
      progressIntervalSeconds: volume.claim.options.progressIntervalSeconds ?? null,
      digest: volume.claim.options.verify === 'full',
    };
    await dispatchPhase(deps, 'verifying', 'data.verify', prepared.object.hostId, { kind: 'data.verify', input })(
      claimed,
      waiting,
    );
  };
