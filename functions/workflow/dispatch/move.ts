import { volmoveError } from '../../../domain/error.ts';
import { type JobSpec, migrationJobId } from '../../../domain/job/job.ts';
import type { Phase } from '../../../domain/migration/migration.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import { copiedWishes } from '../../../domain/migration/wishes.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Claimed } from '../claimed.ts';
import { dataResult, preparedOf } from '../data-jobs.ts';
import { honourWishes, offerJob, type Waiting } from './offer.ts';

export interface DataStep {
  readonly phase: Phase;
  readonly hostId: string;
  readonly spec: JobSpec;
  /** For the timeline. */
  readonly why?: string;
}

export const dispatchPhase =
  (deps: Deps, { phase, hostId, spec, why }: DataStep) =>
  async ({ migration, volume }: Claimed, waiting: Waiting): Promise<void> => {
    const { run } = volume.claim;
    const { kind } = spec;
    const jobId = migrationJobId(migration.id, run, kind);
    const job = { hostId, jobId, kind, run };
    const { value: entered } = await deps.store.migrations.apply(
      [migration.id],
      enterPhase({
        run,
        phase,
        who: 'execution',
        nowMs: deps.clock.nowMs(),
        job,
        ...(why === undefined ? {} : { why }),
      }),
    );
    const offered = await offerJob(deps)(
      {
        hostId,
        id: jobId,
        volumeId: volume.id,
        projectId: volume.projectId,
        migrationId: migration.id,
        run,
        spec,
        control: copiedWishes(entered),
      },
      waiting,
    );
    await honourWishes(deps)(migration.id, offered);
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
      ...(volume.claim.options.copyEngine === 'dd' ? { engine: 'dd' as const } : {}),
    };
    const spec = { kind: 'data.copy', input } as const;
    await dispatchPhase(deps, { phase: 'copying', hostId: volume.location.hostId, spec })(claimed, waiting);
  };

/** VerifyData: the destination's agent seals the generation, then reads back what is stored. */
export const dispatchVerify =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { volume } = claimed;
    const prepared = await preparedOf(deps)(claimed);
    const { digest, generation } = await dataResult(deps)(claimed, 'data.copy');
    const input = {
      object: prepared.object,
      sizeBytes: volume.sizeBytes,
      progressIntervalSeconds: volume.claim.options.progressIntervalSeconds ?? null,
      digest: volume.claim.options.verify === 'full',
      ...(digest === null ? {} : { expected: { digest, generation } }),
    };
    const spec = { kind: 'data.verify', input } as const;
    await dispatchPhase(deps, { phase: 'verifying', hostId: prepared.object.hostId, spec })(claimed, waiting);
  };
