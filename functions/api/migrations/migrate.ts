import { already, type Decision, refuse } from '../../../domain/decision.ts';
import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import { refuseMigration } from '../../../domain/migration/end.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import { newMigration } from '../../../domain/migration/run.ts';
import { executionName } from '../../../domain/names.ts';
import { samePlacement } from '../../../domain/placement.ts';
import { cannotMigrate, claim, unclaimable } from '../../../domain/volume/claim.ts';
import type { MigrationOptions, Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { settleLast } from '../../shared/settle-last.ts';
import { requireSpace, resolvePlace } from '../pools/places.ts';
import { engineRefusal } from './copy-engine.ts';
import { type Repeatable, repeatable } from './idempotency.ts';
import { takesSpace, wayTo } from './way.ts';

export interface Migrate {
  readonly projectId: string;
  readonly requestedBy: string;
  readonly volumeId: string;
  /** `host@backend[#pool]` */
  readonly destination: string;
  readonly options: MigrationOptions;
  /** Makes the request safe to repeat. */
  readonly idempotencyKey: string | undefined;
}

const FIRST_RUN = 1;

/** A migration that is written down, and its volume as far as this request has read it. */
interface Written {
  readonly migration: Migration;
  readonly volume: Volume | undefined;
}

/** Looks before it writes anything, so that what can be known at once is refused at once. */
const record = async (deps: Deps, command: Migrate, { id, requestHash }: Repeatable): Promise<Written> => {
  const volume = await deps.store.volumes.get(command.volumeId);
  if (!volume) throw volmoveError('VolumeNotFound', { id: command.volumeId });
  const destination = await resolvePlace(deps)(command.destination);
  const why = unclaimable(volume);
  if (!volume.location) throw cannotMigrate(volume, why ?? 'it has no location');
  if (why === undefined && !samePlacement(volume.location, destination.place)) {
    if (takesSpace(await wayTo(deps)(volume, destination.place, command.options)))
      requireSpace(destination, volume.sizeBytes);
  }
  const refusal = await engineRefusal(deps)(command.options, volume.location, destination);
  if (refusal) throw refusal;
  const { value: migration } = await deps.store.migrations.create(
    newMigration({
      id,
      volume,
      source: volume.location,
      destination: destination.place,
      options: command.options,
      requestedBy: command.requestedBy,
      requestHash,
      nowMs: deps.clock.nowMs(),
    }),
  );
  return { migration, volume };
};

/** A volume that was moved between the request's look and its claim is not where the migration says it starts from. */
const claimFor =
  (migration: Migration, settled: { migrationId: string; run: number } | null, nowMs: number) =>
  (volume: Volume): Decision<Volume> => {
    if (volume.claim?.migrationId === migration.id) return already(volume);
    if (volume.location && volume.location.objectName !== migration.source.objectName)
      return refuse(cannotMigrate(volume, 'it has been moved meanwhile'));
    const { id: migrationId, destination, options } = migration;
    return claim({ migrationId, run: FIRST_RUN, destination, options, settled, nowMs })(volume);
  };

const claimOrRefuse = async (
  deps: Deps,
  migration: Migration,
  settled: Parameters<typeof claimFor>[1],
): Promise<void> => {
  try {
    await deps.store.volumes.apply([migration.volumeId], claimFor(migration, settled, deps.clock.nowMs()));
  } catch (error) {
    if (!(error instanceof VolmoveError)) throw error;
    await deps.store.migrations.apply([migration.id], refuseMigration(error.toFailure(), 'api', deps.clock.nowMs()));
    throw error;
  }
};

/** Claim and execution of a migration that was written down; each may have been done by an earlier try of the same request. */
const begin = async (deps: Deps, { migration, volume: read }: Written): Promise<void> => {
  const volume = read ?? (await deps.store.volumes.get(migration.volumeId));
  if (!volume) throw volmoveError('VolumeNotFound', { id: migration.volumeId });
  const settled = await settleLast(deps)(volume);
  if (volume.lastOutcome?.migrationId === migration.id) return;
  await claimOrRefuse(deps, migration, settled);
  await deps.executions.start('migrate-volume', executionName(migration.id, FIRST_RUN), {
    migrationId: migration.id,
    run: FIRST_RUN,
  });
};

/** The migration that an earlier try of the same request has written; undefined when there was none. */
const writtenBefore = async (deps: Deps, { id, requestHash }: Repeatable): Promise<Written | undefined> => {
  const migration = requestHash === null ? undefined : await deps.store.migrations.get(id);
  return migration && { migration, volume: undefined };
};

/**
 * Migration item, claim, execution, and an answer only after seeing that the migration was not refused meanwhile (design
 * section 3). Throws the reason of a refusal; IdempotencyMismatch when the key was used for another request.
 */
export const migrate =
  (deps: Deps) =>
  async (command: Migrate): Promise<Migration> => {
    const repeat = repeatable(deps, command);
    const written = (await writtenBefore(deps, repeat)) ?? (await record(deps, command, repeat));
    const { migration } = written;
    if (migration.requestHash !== repeat.requestHash) throw volmoveError('IdempotencyMismatch', {});
    if (migration.stage.state === 'requested' && migration.run === FIRST_RUN) await begin(deps, written);

    const now = await deps.store.migrations.get(migration.id);
    if (!now) throw volmoveError('MigrationNotFound', { id: migration.id });
    if (now.stage.state === 'refused') throw new VolmoveError(now.stage.reason);
    return now;
  };
