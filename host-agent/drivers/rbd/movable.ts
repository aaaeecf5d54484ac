import { VolmoveError } from '../../../domain/error.ts';
import type { BackendMove, Movable } from '../moves.ts';
import { fullness } from './cluster.ts';
import type { Images } from './images.ts';
import type { MovePlaces } from './move-standing.ts';
import type { Users } from './users.ts';

/** Whether a move would begin, asked without changing anything; the cluster asks again by itself. */

const no = (reason: string): Movable => ({ ok: false, reason });

const roomFor = async (move: BackendMove, { source, destination }: MovePlaces, images: Images, signal: AbortSignal) => {
  const full = fullness(destination);
  if (full !== undefined || !destination.usage) return full;
  const usedBytes = await images.usedBytes(source, move.source.objectName, signal);
  const { freeBytes } = destination.usage;
  return usedBytes <= freeBytes ? undefined : `it takes ${usedBytes} bytes, ${freeBytes} are free`;
};

const refusal = async (
  move: BackendMove,
  places: MovePlaces,
  images: Images,
  users: Users,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const { objectName, objectId } = move.source;
  const { source, destination } = places;
  if (source.systemId !== destination.systemId) return 'the pools are of two clusters';
  const info = await images.info(source, objectName, signal);
  if (!info) return `${objectName} is not in ${source.place}`;
  if (info.id !== objectId) return `${objectName} is ${info.id} now, not ${objectId}: somebody replaced it`;
  if (info.features.includes('migrating')) return `${objectName} is being moved already`;
  if (await images.info(destination, move.destination.objectName, signal))
    return `there is a ${move.destination.objectName} in ${destination.place} already`;
  await users.requireNone(source, objectName, signal);
  const clones = await images.clones(source, objectName, signal);
  if (clones.length > 0) return `clones depend on its snapshots: ${clones.join(', ')}`;
  return roomFor(move, places, images, signal);
};

/** What is no answer of the cluster is thrown: it may be another one later. */
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
    if (error instanceof VolmoveError && (error.code === 'ObjectBusy' || error.code === 'NotPermitted'))
      return no(error.message);
    throw error;
  }
};
