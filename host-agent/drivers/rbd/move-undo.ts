import { VolmoveError } from '../../../domain/error.ts';
import type { BackendMove } from '../moves.ts';
import type { Executions } from './executions.ts';
import { inTrash, lookAt, sourceOf } from './move-standing.ts';
import { abortMove, HALF_COMMITTED, type MoveDeps, type PlacedMove, putBack, refused } from './move-steps.ts';

/** The way back. The source is asked first: a move that was not begun is undone also while the other pool is away. */

/** Where nothing can be asked. */
const isShut = (error: unknown): boolean =>
  error instanceof VolmoveError && ['BackendOffline', 'BackendTimedOut', 'NotPermitted'].includes(error.code);

const destinationStatus = async (move: BackendMove, { cluster, images }: MoveDeps, signal: AbortSignal) => {
  try {
    const destination = await cluster.require(move.destination.pool, signal);
    return await images.status(destination, move.destination.objectName, signal);
  } catch (error) {
    if (isShut(error)) return undefined;
    throw error;
  }
};

export interface UndoDeps {
  readonly deps: MoveDeps;
  readonly executions: Executions;
  readonly nameOf: (move: BackendMove) => string;
  readonly placed: (move: BackendMove, signal: AbortSignal) => Promise<PlacedMove>;
}

export const undoMove = async (
  { deps, executions, nameOf, placed }: UndoDeps,
  move: BackendMove,
  signal: AbortSignal,
): Promise<void> => {
  const { cluster, images, headers } = deps;
  const source = await cluster.require(move.source.pool, signal);
  const name = await sourceOf(move, source, images, signal);
  const isTrashed = await inTrash(move, source, images, signal);
  if (name === 'untouched') {
    // on its way there when the beginning was cut off
    if (isTrashed) return putBack(move, source, deps, signal);
    const status = await destinationStatus(move, deps, signal);
    if (status?.migration?.source_image_id !== move.source.objectId) return;
  }
  const one = await placed(move, signal);
  if (name === 'gone' && !isTrashed) throw refused(one, await whyGone(one, deps));
  // asked in a way that does not wait for a destination that is half made
  if (await headers.standsAlone(one.places.destination, move.destination.objectName, signal))
    throw refused(one, HALF_COMMITTED);
  await executions.stop(nameOf(move));
  await abortMove(one, name === 'moving' && !isTrashed, deps);
};

const whyGone = async ({ move, places, signal }: PlacedMove, { images }: MoveDeps): Promise<string> => {
  const standing = await lookAt(move, places, images, signal);
  return standing.state === 'broken' ? standing.reason : 'the move has been finished already';
};
