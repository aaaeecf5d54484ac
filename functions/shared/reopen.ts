import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import { reopen } from '../../domain/migration/reopen.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Deps } from './deps.ts';
import { settle } from './outcome.ts';

/**
 * A migration that has ended goes on when its volume is claimed for a later run of it: the claim was written first, so the API that
 * made it and the run's first step both find it here. Returns the migration as it stands.
 */
export const reopenClaimed =
  (deps: Deps) =>
  async (migration: Migration, volume: Volume | undefined, who: string): Promise<Migration> => {
    const claim = volume?.claim;
    if (!isEnded(migration) || claim?.migrationId !== migration.id || claim.run <= migration.run) return migration;
    // the end of the run before is told before the next one begins
    await settle(deps)(migration);
    const rule = reopen({ run: claim.run, who, nowMs: deps.clock.nowMs() });
    return (await deps.store.migrations.apply([migration.id], rule)).value;
  };
