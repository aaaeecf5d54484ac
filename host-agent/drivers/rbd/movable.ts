import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { BackendMove, Movable } from '../moves.ts';
import { figuresOf, fullness } from './cluster.ts';
import { type Images, keepsCount, missing } from './images.ts';
import type { MovePlaces } from './move-standing.ts';
import type { Info } from './report.ts';
import type { Users } from './users.ts';

/**
 * Whether a move would begin, asked without changing anything; the cluster asks again by itself. What would be wrong with a copy, too
 * (an image that is gone, another one by now, or open), is thrown.
 */

const no = (reason: string): Movable => ({ ok: false, reason });

const roomFor = async (
  move: BackendMove,
  { source, destination }: MovePlaces,
  info: Info,
  images: Images,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const full = fullness(destination);
  const figures = figuresOf(destination);
  if (full !== undefined || !figures) return full;
  const { freeBytes } = figures;
  if (info.snapshot_count === 0 && info.size <= freeBytes) return undefined;
  const bytes = keepsCount(info) ? await images.usedBytes(source, move.source.objectName, signal) : info.size;
  return bytes <= freeBytes ? undefined : `it takes ${bytes} bytes, ${freeBytes} are free`;
};

const bound = async (move: BackendMove, { source }: MovePlaces, images: Images, signal: AbortSignal) => {
  const { objectName } = move.source;
  const clones = await images.clones(source, objectName, signal);
  if (clones.length > 0) return `clones depend on its snapshots: ${clones.join(', ')}`;
  const kept = await images.protectedSnapshots(source, objectName, signal);
  return kept.length === 0 ? undefined : `its snapshots are protected: ${kept.join(', ')}`;
};

const requireSame = ({ source }: BackendMove, { id, features }: Info): void => {
  const { objectName: object, objectId } = source;
  const busy = (reason: string) => volmoveError('ObjectBusy', { object, reason });
  if (id !== objectId) throw busy(`it is ${id} now, not ${objectId}: somebody replaced it`);
  if (features.includes('migrating')) throw busy('it is being moved already');
};

const refusal = async (
  move: BackendMove,
  places: MovePlaces,
  images: Images,
  users: Users,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const { objectName } = move.source;
  const { source, destination } = places;
  if (source.systemId !== destination.systemId) return 'the pools are of two clusters';
  const [info, taken] = await Promise.all([
    images.info(source, objectName, signal),
    images.info(destination, move.destination.objectName, signal),
  ]);
  if (!info) throw missing(source, objectName);
  requireSame(move, info);
  if (taken) return `there is a ${move.destination.objectName} in ${destination.place} already`;
  await users.requireNone(source, objectName, signal);
  const ties = info.snapshot_count === 0 ? undefined : await bound(move, places, images, signal);
  return ties ?? roomFor(move, places, info, images, signal);
};

export const movable = async (
  move: BackendMove,
  places: MovePlaces,
  images: Images,
  users: Users,
  signal: AbortSignal,
): Promise<Movable> => {
  try {
    const reason = await refusal(move, places, images, users, signal);
    return reason === undefined ? { ok: true } : no(reason);
  } catch (error) {
    // in the other pool, say, into which somebody else may copy
    if (error instanceof VolmoveError && error.code === 'NotPermitted') return no(error.message);
    throw error;
  }
};
