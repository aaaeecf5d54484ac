import { volmoveError } from '../../../domain/error.ts';
import {
  type CopyInput,
  type JobSpec,
  migrationJobId,
  type PrepareResult,
  type Waiting,
} from '../../../domain/job/job.ts';
import type { Phase } from '../../../domain/migration/migration.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import { copiedWishes } from '../../../domain/migration/wishes.ts';
import { noteBegunDestination } from '../../../domain/volume/claim.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Claimed } from '../claimed.ts';
import { dataResult, preparedOf } from '../data-jobs.ts';
import { honourWishes, offerJob } from './offer.ts';

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

/** From here on there is something to keep: whatever ends the claim keeps it, when that was asked for. */
const noteBegun =
  (deps: Deps) =>
  async ({ migration, volume }: Claimed, { object }: PrepareResult): Promise<void> => {
    const { run, options } = volume.claim;
    if (!options.destinationRetentionSeconds) return;
    const begun = { object, run, writeEpoch: volume.writeEpoch };
    await deps.store.volumes.apply([volume.id], noteBegunDestination(migration.id, begun));
  };

/** What of an earlier run's copy is of use: all that it has settled, or only what is the same. */
const goesOnWith = ({ migration, volume }: Claimed): Pick<CopyInput, 'destinationHasContent' | 'carriesOnFrom'> => {
  const { carriesOn } = volume.claim;
  if (!carriesOn) return {};
  if (carriesOn.writeEpoch !== volume.writeEpoch) return { destinationHasContent: true };
  return { destinationHasContent: true, carriesOnFrom: migrationJobId(migration.id, carriesOn.run, 'data.copy') };
};

/** CopyData: the source's agent reads the volume and writes it to the destination's export. */
export const dispatchCopy =
  (deps: Deps) =>
  async (claimed: Claimed, waiting: Waiting): Promise<void> => {
    const { volume } = claimed;
    const prepared = await preparedOf(deps)(claimed);
    if (!volume.location) throw volmoveError('ClaimLost', { reason: 'the volume has no location' });
    await noteBegun(deps)(claimed, prepared);
    const { destinationRetentionSeconds: keptForSeconds } = volume.claim.options;
    const input = {
      source: volume.location,
      sizeBytes: volume.sizeBytes,
      peer: { address: prepared.address, fingerprint: prepared.fingerprint },
      destinationIsZero: prepared.zero,
      writeEpoch: volume.writeEpoch,
      progressIntervalSeconds: volume.claim.options.progressIntervalSeconds ?? null,
      digest: volume.claim.options.verify === 'full',
      ...(volume.claim.options.copyEngine === 'dd' ? { engine: 'dd' as const } : {}),
      ...(keptForSeconds ? { keptForSeconds } : {}),
      ...goesOnWith(claimed),
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
