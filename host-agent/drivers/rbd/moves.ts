import { createTurnsOf } from '../../in-turn.ts';
import type { BackendMove, BackendMoves, MoveState } from '../moves.ts';
import { fullness } from './cluster.ts';
import { type Execution, executionsOf } from './executions.ts';
import { movable } from './movable.ts';
import { lookAt, type Standing } from './move-standing.ts';
import {
  abortMove,
  commitMove,
  type MoveDeps,
  type PlacedMove,
  prepareMove,
  refused,
  specOf,
  switched,
} from './move-steps.ts';

/**
 * Moves between the pools of a cluster by Ceph's own live migration. `prepare` makes the destination, which reads through to the
 * source, and puts the source into its pool's trash; `execute` copies; `commit` gives the source up, `abort` the destination. The
 * snapshots come along. What is written to the destination before the commit is lost by an abort: so nobody attaches meanwhile.
 */
export const rbdMoves = (deps: MoveDeps): BackendMoves => {
  const executions = executionsOf(deps.commands, deps.monotonicMs);
  const turns = createTurnsOf();

  const placed = async (move: BackendMove, signal: AbortSignal, asItIsNow = false): Promise<PlacedMove> => {
    const { require, requireNow } = deps.cluster;
    const destination = await (asItIsNow ? requireNow : require)(move.destination.pool, signal);
    return { move, places: { source: await require(move.source.pool, signal), destination }, signal };
  };
  /** One call at a time for each move, each with what stands of it. */
  const at = <T>(
    move: BackendMove,
    signal: AbortSignal,
    act: (placed: PlacedMove, standing: Standing) => Promise<T>,
  ): Promise<T> =>
    turns(`${move.destination.pool}/${move.destination.objectName}`)(async () => {
      const one = await placed(move, signal);
      return act(one, await lookAt(move, one.places, deps.images, signal));
    });

  const stateOf = async (one: PlacedMove, standing: Standing): Promise<MoveState> => {
    switch (standing.state) {
      case 'none':
        return { state: 'none' };
      case 'broken':
        return { state: 'failed', reason: standing.reason };
      case 'executed':
        return { state: 'synchronised' };
      case 'committed':
        return { state: 'finished', object: await switched(one, deps) };
      case 'begun':
        return running(one, executions.of(specOf(one)), deps);
    }
  };

  return {
    attachDuringMove: 'forbidden',
    async canMove(move, signal) {
      const { places } = await placed(move, signal, true);
      return movable(move, places, deps.images, deps.users, signal);
    },
    start(move, signal) {
      const begin = async (one: PlacedMove, standing: Standing): Promise<void> => {
        if (standing.state === 'broken') throw refused(one, standing.reason);
        if (standing.state === 'none') await prepareMove(one, deps);
        if (standing.state === 'none' || standing.state === 'begun') await executions.ensure(specOf(one));
      };
      return at(move, signal, begin);
    },
    poll: (move, signal) => at(move, signal, stateOf),
    finish: (move, signal) =>
      at(move, signal, async (one, standing) => {
        if (standing.state === 'committed') return switched(one, deps);
        if (standing.state === 'broken') throw refused(one, standing.reason);
        if (standing.state !== 'executed') throw refused(one, 'the move is not synchronised, so it cannot be finished');
        await executions.stop(specOf(one));
        return commitMove(one, deps);
      }),
    abort: (move, signal) =>
      at(move, signal, async (one, standing) => {
        if (standing.state === 'none') return;
        if (standing.state === 'committed') throw refused(one, 'the move has been finished already');
        if (standing.state === 'broken' && !standing.ours) throw refused(one, standing.reason);
        await executions.stop(specOf(one));
        await abortMove(one, deps);
      }),
    recover: (move, signal) =>
      at(move, signal, async (one, standing) => {
        if (standing.state === 'begun') await executions.ensure(specOf(one));
        return stateOf(one, standing);
      }),
  };
};

/** Into a full pool it would copy for ever without a word: that is asked when it has not moved for the backend's timeout. */
const running = (
  { places }: PlacedMove,
  execution: Execution | undefined,
  { monotonicMs, timeoutSeconds }: MoveDeps,
): MoveState => {
  if (!execution) return { state: 'running', percent: null };
  if (execution.failure !== undefined) return { state: 'failed', reason: execution.failure };
  const stoodStill = monotonicMs() - execution.movedAtMs >= timeoutSeconds * 1000;
  const full = stoodStill ? fullness(places.destination) : undefined;
  return full === undefined
    ? { state: 'running', percent: execution.percent }
    : { state: 'failed', reason: `${places.destination.place}: ${full}` };
};
