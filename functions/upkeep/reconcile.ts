import { VolmoveError, volmoveError } from '../../domain/error.ts';
import { executionName } from '../../domain/names.ts';
import type { ExecutionStatus } from '../../domain/ports.ts';
import { raiseRun, takenOverAtMs } from '../../domain/volume/claim.ts';
import { type Claim, holdsClaim, type Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../shared/deps.ts';
import { recordOutcome, settle } from '../shared/outcome.ts';

/** Starts the claimed run's execution, whoever should have; idempotent by name. */
export const startClaimedRun =
  (deps: Deps) =>
  async (claim: Pick<Claim, 'migrationId' | 'run'>): Promise<'started' | 'existed'> => {
    const { migrationId, run } = claim;
    return deps.executions.start('migrate-volume', executionName(migrationId, run), { migrationId, run });
  };

/**
 * An execution that ended while its claim stands (stopped by hand, timed out, States.Runtime): a new run takes the claim
 * over and goes straight to ReleaseClaim; after many of them not at once. The old run can do nothing more, wherever it is frozen.
 */
export const takeOver =
  (deps: Deps) =>
  async (volume: Volume & { claim: Claim }, status: ExecutionStatus): Promise<void> => {
    const { migrationId, run } = volume.claim;
    if (deps.clock.nowMs() < takenOverAtMs(volume.claim)) return;
    const reason = volmoveError('ExecutionEnded', { status: status.state, cause: status.cause }).toFailure();
    try {
      const raised = await deps.store.volumes.apply(
        [volume.id],
        raiseRun(migrationId, run, reason, deps.clock.nowMs()),
      );
      if (raised.value.claim) await startClaimedRun(deps)(raised.value.claim);
    } catch (error) {
      // the claim has ended meanwhile: then there is nothing to take over
      if (!(error instanceof VolmoveError && error.code === 'ClaimLost')) throw error;
    }
  };

/**
 * The reconciler: an execution has ended. If its claim stands, a new run releases it; if its outcome stands but was never
 * recorded or told, that is done here. Nothing to do is the normal case: a rolled-back run ends FAILED too.
 */
export const reconcile =
  (deps: Deps) =>
  async ({
    migrationId,
    run,
    status,
  }: {
    migrationId: string;
    run: number;
    status: ExecutionStatus;
  }): Promise<void> => {
    const migration = await deps.store.migrations.get(migrationId);
    const volume = migration && (await deps.store.volumes.get(migration.volumeId));
    if (!volume) return;
    if (holdsClaim(volume, migrationId, run)) return takeOver(deps)(volume, status);
    if (volume.lastOutcome?.migrationId !== migrationId || volume.lastOutcome.run < run) return;
    const ended = await recordOutcome(deps)(volume.lastOutcome, 'reconciler');
    if (ended) await settle(deps)(ended);
  };
