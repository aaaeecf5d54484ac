import type { BackendMove } from '../moves.ts';
import type { FoundPool } from './cluster.ts';
import { RBD } from './commands.ts';
import type { Images } from './images.ts';
import { poolSpec } from './names.ts';
import { parseReport, TRASH } from './report.ts';

export interface MovePlaces {
  readonly source: FoundPool;
  readonly destination: FoundPool;
}

/** What stands in the cluster of a move, told from there alone. */
export type Standing =
  | { readonly state: 'none' }
  /** Prepared, or in mid-copy, whether somebody copies now or not. */
  | { readonly state: 'begun' }
  | { readonly state: 'executed' }
  | { readonly state: 'committed' }
  /** The destination stands by itself, the source is still in the trash: a commit was cut off. Only who commits may believe it. */
  | { readonly state: 'half-committed' }
  | { readonly state: 'broken'; readonly reason: string };

const ofMigration = (state: string, description: string): Standing => {
  switch (state) {
    case 'prepared':
    case 'executing':
      return { state: 'begun' };
    case 'executed':
      return { state: 'executed' };
    default: {
      const more = description === '' ? '' : ` (${description})`;
      return { state: 'broken', reason: `the cluster calls the move ${state}${more}` };
    }
  }
};

export const inTrash = async (
  move: BackendMove,
  where: FoundPool,
  images: Images,
  signal: AbortSignal,
): Promise<boolean> => {
  const args = ['trash', 'ls', '--all', poolSpec(where.pool), '--format', 'json'];
  const rows = parseReport(TRASH, await images.act(where, move.source.objectName, args, signal), RBD.program);
  return rows.some(({ id }) => id === move.source.objectId);
};

/** How the source stands under its name: `moving` after an abort that was cut off. */
export const sourceOf = async (
  { source }: BackendMove,
  where: FoundPool,
  images: Images,
  signal: AbortSignal,
): Promise<'untouched' | 'moving' | 'gone'> => {
  const there = await images.info(where, source.objectName, signal);
  if (there?.id !== source.objectId) return 'gone';
  return there.features.includes('migrating') ? 'moving' : 'untouched';
};

export const lookAt = async (
  move: BackendMove,
  places: MovePlaces,
  images: Images,
  signal: AbortSignal,
): Promise<Standing> => {
  const { source, destination } = move;
  const status = await images.status(places.destination, destination.objectName, signal);
  const migration = status?.migration;
  if (migration) {
    if (migration.source_image_id === source.objectId) return ofMigration(migration.state, migration.state_description);
    return { state: 'broken', reason: `${destination.objectName} is the destination of another move` };
  }
  switch (await sourceOf(move, places.source, images, signal)) {
    case 'untouched':
      return status
        ? { state: 'broken', reason: `there is another ${destination.objectName} already` }
        : { state: 'none' };
    case 'moving':
      return {
        state: 'broken',
        reason: 'the source is back under its name, and the cluster was interrupted before it had undone the move',
      };
    case 'gone':
  }
  if (!(await inTrash(move, places.source, images, signal)))
    return status
      ? { state: 'committed' }
      : { state: 'broken', reason: `neither the source ${source.objectName} nor the destination is there` };
  return status
    ? { state: 'half-committed' }
    : {
        state: 'broken',
        reason: `the source is in the trash of ${places.source.place} as ${source.objectId}, and there is no destination: the cluster was interrupted while it began or undid the move`,
      };
};
