import { already } from '../../../domain/decision.ts';
import { volmoveError } from '../../../domain/error.ts';
import { startedEvent, toldRun } from '../../../domain/event.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import type { Deps } from '../../shared/deps.ts';
import { reopenClaimed } from '../../shared/reopen.ts';
import type { Run } from '../handler.ts';

/** The API that claimed a retry may have died before it said so in the migration. */
const reopenIfRetried = async (deps: Deps, { migrationId, run }: Run): Promise<void> => {
  const migration = await deps.store.migrations.get(migrationId);
  if (!migration || !isEnded(migration) || migration.run >= run) return;
  await reopenClaimed(deps)(migration, await deps.store.volumes.get(migration.volumeId), 'execution');
};

/** The reconciler's run begins nothing: it ends the story of the run before, so it is not told as another start. */
const enterRollback = async (deps: Deps, { migrationId, run }: Run, volumeId: string): Promise<undefined> => {
  const claim = (await deps.store.volumes.get(volumeId))?.claim;
  const mine = claim?.migrationId === migrationId && claim.run === run ? claim : undefined;
  const why = mine?.rollback?.message ?? 'its run has ended';
  // a backend that is switching over only goes forward, by whichever run
  const to = mine?.phase === 'switching' ? 'switching' : 'rolling_back';
  const phase = { run, phase: to, who: 'execution', nowMs: deps.clock.nowMs(), why } as const;
  await deps.store.migrations.apply([migrationId], enterPhase(phase));
};

/** NotifyStarted: the run begins. A migration that has ended (refused included) never starts; its claim is released. */
export const notifyStarted =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<undefined> => {
    await reopenIfRetried(deps, { migrationId, run });
    const { value: migration } = await deps.store.migrations.apply([migrationId], (stored) => {
      const begun = stored.run === run && !isEnded(stored) && stored.stage.state === 'running';
      if (begun || toldRun(stored, run) !== run) return already(stored);
      return enterPhase({ run, phase: 'validating', who: 'execution', nowMs: deps.clock.nowMs() })(stored);
    });
    if (isEnded(migration)) throw volmoveError('ClaimLost', { reason: 'the migration has ended' });
    if (toldRun(migration, run) !== run) return enterRollback(deps, { migrationId, run }, migration.volumeId);
    await deps.notifier.notify([startedEvent(migration, run)]);
    return undefined;
  };
