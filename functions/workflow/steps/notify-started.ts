import { volmoveError } from '../../../domain/error.ts';
import { startedEvent } from '../../../domain/event.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import { enterPhase } from '../../../domain/migration/run.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Run } from '../handler.ts';

/** NotifyStarted: the run begins. A migration that has ended (refused included) never starts; its claim is released. */
export const notifyStarted =
  (deps: Deps) =>
  async ({ migrationId, run }: Run): Promise<undefined> => {
    const { value: migration } = await deps.store.migrations.apply([migrationId], (stored) => {
      const begun = stored.run === run && !isEnded(stored) && stored.stage.state === 'running';
      if (begun) return { kind: 'already', current: stored };
      return enterPhase({ run, phase: 'validating', who: 'execution', nowMs: deps.clock.nowMs() })(stored);
    });
    if (isEnded(migration)) throw volmoveError('ClaimLost', { reason: 'the migration has ended' });
    await deps.notifier.notify([startedEvent(migration, run)]);
  };
