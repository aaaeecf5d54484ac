import { volmoveError } from '../../../../domain/error.ts';
import type { BackendMove, BackendMoves, MoveState } from '../../../../host-agent/drivers/moves.ts';
import type { World } from '../world.ts';
import type { Actors } from './actors.ts';

/**
 * A backend that moves volumes by itself as Ceph does: from the beginning on the source is hidden, and the destination is there;
 * going back loses whatever was written to that. So a guest has to stay away.
 */
interface MoveParts {
  readonly actors: Actors;
  readonly world: World;
  readonly idOf: (objectName: string) => string;
}

export const worldMoves = ({ actors, world, idOf }: MoveParts): BackendMoves => {
  const { objects, ownMoves } = world;
  const stateOf = ({ source, destination }: BackendMove): MoveState => {
    const begun = ownMoves.get(destination.objectName);
    if (begun) return begun.isSynchronised ? { state: 'synchronised' } : { state: 'running', percent: 50 };
    const moved = objects.get(destination.objectName);
    if (!moved || objects.has(source.objectName)) return { state: 'none' };
    return { state: 'finished', object: { objectId: idOf(moved.name), sizeBytes: moved.sizeBytes } };
  };
  const goOn = (move: BackendMove): MoveState => {
    const begun = ownMoves.get(move.destination.objectName);
    if (begun) begun.isSynchronised = true;
    return stateOf(move);
  };
  return {
    attachDuringMove: 'forbidden',
    canMove: ({ source }) =>
      actors.turn(`asks whether ${source.objectName} can be moved`, () =>
        world.refusesMoves || !objects.has(source.objectName)
          ? { ok: false, reason: 'it cannot be moved' }
          : { ok: true },
      ),
    start({ source, destination }) {
      const act = (): void => {
        const moved = objects.get(source.objectName);
        if (!moved || ownMoves.has(destination.objectName)) return;
        objects.delete(source.objectName);
        objects.set(destination.objectName, { ...moved, name: destination.objectName, content: [...moved.content] });
        ownMoves.set(destination.objectName, { source: moved, isSynchronised: false });
      };
      return actors.turn(`begins to move ${source.objectName}`, act, { again: act });
    },
    poll: (move) => actors.turn(`asks after the move of ${move.source.objectName}`, () => goOn(move)),
    recover: (move) => actors.turn(`looks for a move of ${move.source.objectName}`, () => goOn(move)),
    finish(move) {
      const act = () => {
        if (stateOf(move).state === 'running')
          throw volmoveError('BackendRefused', { place: 'the backend', reason: 'not synchronised yet' });
        ownMoves.delete(move.destination.objectName);
        const state = stateOf(move);
        if (state.state !== 'finished')
          throw volmoveError('BackendRefused', { place: 'the backend', reason: `the move is ${state.state}` });
        return state.object;
      };
      return actors.turn(`finishes the move of ${move.source.objectName}`, act, { again: act });
    },
    abort({ source, destination }) {
      const act = (): void => {
        const begun = ownMoves.get(destination.objectName);
        if (!begun) return;
        ownMoves.delete(destination.objectName);
        objects.delete(destination.objectName);
        objects.set(source.objectName, begun.source);
      };
      return actors.turn(`goes back from the move of ${source.objectName}`, act, { again: act });
    },
  };
};
