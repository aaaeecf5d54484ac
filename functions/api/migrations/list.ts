import { volmoveError } from '../../../domain/error.ts';
import type { Migration, MigrationStage } from '../../../domain/migration/migration.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Page } from '../http/page.ts';

export interface ListMigrations {
  readonly volumeId: string | undefined;
  readonly state: MigrationStage['state'] | undefined;
  readonly limit: number;
  readonly marker: string | undefined;
}

const PAGE = 100;

async function* newestFirst(deps: Pick<Deps, 'store'>): AsyncGenerator<Migration> {
  let after: string | undefined;
  do {
    const page = await deps.store.migrations.list({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page.values;
    after = page.next;
  } while (after !== undefined);
}

/** Newest first. Throws MigrationNotFound when there is no migration with the marker's id. */
export const listMigrations =
  (deps: Pick<Deps, 'store'>) =>
  async ({ volumeId, state, limit, marker }: ListMigrations): Promise<Page<Migration>> => {
    const values: Migration[] = [];
    let behind = marker === undefined;
    for await (const migration of newestFirst(deps)) {
      const wanted =
        (volumeId === undefined || migration.volumeId === volumeId) &&
        (state === undefined || migration.stage.state === state);
      if (behind && wanted && values.length === limit) return { values, full: limit > 0 };
      if (behind && wanted) values.push(migration);
      behind ||= migration.id === marker;
    }
    if (!behind) throw volmoveError('MigrationNotFound', { id: marker ?? '' });
    return { values, full: false };
  };
