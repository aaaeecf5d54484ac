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
  /** `ours`: an abort puts it right. */
  | { readonly state: 'broken'; readonly ours: boolean; readonly reason: string };

const broken = (ours: boolean, reason: string): Standing => ({ state: 'broken', ours, reason });

const ofMigration = (state: string, description: string): Standing => {
  switch (state) {
    case 'prepared':
    case 'executing':
      return { state: 'begun' };
    case 'executed':
      return { state: 'executed' };
    default:
      return broken(true, `the cluster calls the move ${state}${description === '' ? '' : ` (${description})`}`);
  }
};

const inTrash = async (move: BackendMove, { source }: MovePlaces, images: Images, signal: AbortSignal) => {
  const args = ['trash', 'ls', '--all', poolSpec(source.pool), '--format', 'json'];
  const rows = parseReport(TRASH, await images.act(source, move.source.objectName, args, signal), RBD.program);
  return rows.some(({ id }) => id === move.source.objectId);
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
    return broken(false, `${destination.objectName} is the destination of another move`);
  }
  const there = await images.info(places.source, source.objectName, signal);
  if (there?.id === source.objectId)
    return status ? broken(false, `there is another ${destination.objectName} already`) : { state: 'none' };
  if (await inTrash(move, places, images, signal))
    return broken(
      false,
      `the source is in the trash of ${places.source.place} as ${source.objectId}, and there is no destination: the cluster was interrupted while it prepared the move; see \`rbd trash ls --all\``,
    );
  if (status) return { state: 'committed' };
  return broken(false, `neither the source ${source.objectName} nor the destination is there`);
};
