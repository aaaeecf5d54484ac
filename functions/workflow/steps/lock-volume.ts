import { enterPhase } from '../../../domain/migration/run.ts';
import { markMigrationStatus } from '../../../domain/volume/claim.ts';
import type { Deps } from '../../shared/deps.ts';
import { readClaimed } from '../claimed.ts';
import type { Run } from '../handler.ts';

/**
 * LockVolume: confirms the claim and shows the volume as migrating. The lock itself was set by the claim's own write, so
 * that no attach can slip in between the request and this step.
 */
export const lockVolume =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<{ locked: boolean }> => {
    const { volume } = await readClaimed(deps)({ migrationId, run });
    if (volume.claim.phase === 'switching') return { locked: volume.claim.lock };
    await deps.store.migrations.apply(
      [migrationId],
      enterPhase({ run, phase: 'locking', who: 'execution', nowMs: deps.clock.nowMs() }),
    );
    await deps.store.volumes.apply([volume.id], markMigrationStatus(migrationId, run, 'migrating', deps.clock.nowMs()));
    return { locked: volume.claim.lock };
  };
