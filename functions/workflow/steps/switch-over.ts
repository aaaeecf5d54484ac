import { volmoveError } from '../../../domain/error.ts';
import { migrationJobId, resultOf } from '../../../domain/job/job.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import { switchOver as switchVolumeOver } from '../../../domain/volume/claimed-move.ts';
import type { Deps } from '../../shared/deps.ts';
import { readClaimed } from '../claimed.ts';
import type { Run } from '../handler.ts';

/**
 * SwitchOver: the backend holds source and destination alike, as its job says. One conditional write, and from there nothing ends
 * the claim but Finalize.
 */
export const switchOver =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<undefined> => {
    const { volume } = await readClaimed(deps)({ migrationId, run });
    const { claim } = volume;
    if (claim.phase !== 'switching') {
      const hostId = claim.move?.hostId ?? volume.placement.hostId;
      const moved = resultOf(
        await deps.store.jobs.get(hostId, migrationJobId(migrationId, run, 'backend.move')),
        'backend.move',
      );
      if (!moved?.moved) throw volmoveError('NoProof', { reason: 'the backend has not moved the volume' });
    }
    const nowMs = deps.clock.nowMs();
    await deps.store.volumes.apply([volume.id], switchVolumeOver({ migrationId, run }, nowMs));
    const phase = { run, phase: 'switching', who: 'execution', nowMs } as const;
    await deps.store.migrations.apply([migrationId], enterPhase(phase));
    return undefined;
  };
