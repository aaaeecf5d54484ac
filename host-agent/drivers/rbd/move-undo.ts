import { VolmoveError } from '../../../domain/error.ts';
import type { BackendMove } from '../moves.ts';
import type { Executions } from './executions.ts';
import { lookAt, type Standing, sourceOf } from './move-standing.ts';
import { abortMove, HALF_COMMITTED, type MoveDeps, type PlacedMove, refused } from './move-steps.ts';

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

/** Nothing was begun, or all of it is undone. */
const isUntouched = async (move: BackendMove, deps: MoveDeps, signal: AbortSignal): Promise<boolean> => {
  const source = await deps.cluster.require(move.source.pool, signal);
  if ((await sourceOf(move, source, deps.images, signal)) !== 'untouched') return false;
  const status = await destinationStatus(move, deps, signal);
  return status?.migration?.source_image_id !== move.source.objectId;
};

/** Undefined: there is nothing to undo. */
const undoneBy = (one: PlacedMove, standing: Standing): 'source' | 'destination' | undefined => {
  switch (standing.state) {
    case 'none':
      return undefined;
    case 'begun':
    case 'executed':
      return 'destination';
    case 'committed':
      throw refused(one, 'the move has been finished already');
    case 'half-committed':
      throw refused(one, HALF_COMMITTED);
    case 'broken':
      if (standing.undo) return standing.undo;
      throw refused(one, standing.reason);
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
  if (await isUntouched(move, deps, signal)) return;
  const one = await placed(move, signal);
  const by = undoneBy(one, await lookAt(move, one.places, deps.images, signal));
  if (by === undefined) return;
  await executions.stop(nameOf(move));
  await abortMove(one, by, deps);
};
