import type { Migration } from '../../../domain/migration/migration.ts';
import { wishPause, wishResume } from '../../../domain/migration/wishes.ts';
import { formatPlacement, type Placement } from '../../../domain/placement.ts';
import type { MigrationOptions } from '../../../domain/volume/volume.ts';
import { adjustMigration } from '../../../functions/api/migrations/adjust.ts';
import { cancelMigration } from '../../../functions/api/migrations/cancel.ts';
import { migrate } from '../../../functions/api/migrations/migrate.ts';
import { restoreVolume } from '../../../functions/api/migrations/restore.ts';
import { retryMigration } from '../../../functions/api/migrations/retry.ts';
import { deleteVolume } from '../../../functions/api/volumes/delete.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { OPTIONS, VOLUME_ID } from '../factories.ts';

/** An administrator's requests, as the API's use cases take them. */

const caller = { userId: 'admin', projectId: 'project', role: 'admin' } as const;

export interface MigrateRequest {
  readonly volumeId?: string;
  readonly destination: Placement;
  readonly options?: Partial<MigrationOptions>;
  /** Makes the request one that may be sent again. */
  readonly key?: string | undefined;
}

export const requestMigration = (
  deps: Deps,
  { volumeId = VOLUME_ID, destination, options, key }: MigrateRequest,
): Promise<Migration> =>
  migrate(deps)({
    projectId: caller.projectId,
    requestedBy: caller.userId,
    volumeId,
    destination: formatPlacement(destination),
    options: { ...OPTIONS, ...options },
    idempotencyKey: key,
  });

export const requestCancel = (deps: Deps, migrationId: string): Promise<Migration> =>
  cancelMigration(deps)({ migrationId, by: caller.userId });

export const requestRemoval = (deps: Deps): Promise<void> => deleteVolume(deps)({ caller, volumeId: VOLUME_ID });

export const requestPause = (deps: Deps, migrationId: string): Promise<Migration> =>
  adjustMigration(deps)(migrationId, wishPause(caller.userId, deps.clock.nowMs()));

export const requestResume = (deps: Deps, migrationId: string): Promise<Migration> =>
  adjustMigration(deps)(migrationId, wishResume(caller.userId, deps.clock.nowMs()));

export const requestRetry = (deps: Deps, migrationId: string): Promise<Migration> =>
  retryMigration(deps)({ migrationId, by: caller.userId });

export const requestRestore = (deps: Deps, migrationId: string, discardChanges: boolean): Promise<Migration> =>
  restoreVolume(deps)({ migrationId, discardChanges, by: caller.userId });
