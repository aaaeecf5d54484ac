import { createTurnsOf } from '../../in-turn.ts';
import type { FoundObject } from '../contract.ts';
import type { BackendMove, BackendMoves, MoveState } from '../moves.ts';
import { fullness } from './cluster.ts';
import { type Execution, type Executions, executionsOf } from './executions.ts';
import { movable } from './movable.ts';
import { lookAt, type Standing } from './move-standing.ts';
import {
  commitMove,
  completeCommit,
  HALF_COMMITTED,
  type MoveDeps,
  type PlacedMove,
  prepareMove,
  refused,
  specOf,
  switched,
} from './move-steps.ts';
import { undoMove } from './move-undo.ts';
import { WATCH_EXPIRES_MS } from './users.ts';

const nameOf = ({ destination }: BackendMove): string => `${destination.pool}/${destination.objectName}`;

/**
 * Moves between the pools of a cluster by Ceph's own live migration. `prepare` makes the destination, which reads through to the
 * source, and puts the source into its pool's trash; `execute` copies; `commit` gives the source up, `abort` the destination. The
 * snapshots come along. What is written to the destination before the commit is lost by an abort: so nobody attaches meanwhile.
 */
export const rbdMoves = (deps: MoveDeps): BackendMoves => {
  const executions = executionsOf(deps);
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
    turns(nameOf(move))(async () => {
      const one = await placed(move, signal);
      return act(one, await lookAt(move, one.places, deps.images, signal));
    });

  const stateOf = async (one: PlacedMove, standing: Standing): Promise<MoveState> => {
    switch (standing.state) {
      case 'none':
        return { state: 'none' };
      case 'broken':
        return { state: 'failed', reason: standing.reason };
      case 'half-committed':
        return { state: 'failed', reason: HALF_COMMITTED };
      case 'executed':
        return { state: 'synchronised' };
      case 'committed':
        return { state: 'finished', object: await switched(one, deps) };
      case 'begun':
        return running(one, executions.of(nameOf(one.move)), deps);
    }
  };

  return {
    attachDuringMove: 'forbidden',
    async canMove(move, signal) {
      const { places } = await placed(move, signal, true);
      return movable(move, places, deps.images, deps.users, signal);
    },
    start: (move, signal) =>
      at(move, signal, async (one, standing) => {
        if (standing.state === 'broken') throw refused(one, standing.reason);
        if (standing.state === 'half-committed') throw refused(one, HALF_COMMITTED);
        if (standing.state === 'none') await prepareMove(one, deps);
        if (standing.state === 'none' || standing.state === 'begun')
          await executions.ensure(nameOf(move), specOf(one), signal);
      }),
    async poll(move, signal) {
      signal.throwIfAborted();
      const execution = executions.of(nameOf(move));
      // whoever copies says how far it is: the cluster need not be asked
      if (execution && execution.failure === undefined && !hasStoodStill(execution, deps))
        return { state: 'running', percent: execution.percent };
      return at(move, signal, stateOf);
    },
    finish: (move, signal) => at(move, signal, (one, standing) => finish(one, standing, executions, deps)),
    abort: (move, signal) => turns(nameOf(move))(() => undoMove({ deps, executions, nameOf, placed }, move, signal)),
    recover: (move, signal) =>
      at(move, signal, async (one, standing) => {
        if (standing.state === 'begun') await executions.ensure(nameOf(move), specOf(one), signal);
        return stateOf(one, standing);
      }),
  };
};

const finish = async (
  one: PlacedMove,
  standing: Standing,
  executions: Executions,
  deps: MoveDeps,
): Promise<FoundObject> => {
  switch (standing.state) {
    case 'committed':
      return switched(one, deps);
    case 'half-committed':
      return completeCommit(one, deps);
    case 'broken':
      throw refused(one, standing.reason);
    case 'none':
    case 'begun':
      throw refused(one, 'the move is not synchronised, so it cannot be finished');
    case 'executed':
      // it has both images open until its very end
      await executions.ended(nameOf(one.move), WATCH_EXPIRES_MS, one.signal);
      return commitMove(one, deps);
  }
};

const hasStoodStill = ({ movedAtMs }: Execution, { monotonicMs, timeoutSeconds }: MoveDeps): boolean =>
  monotonicMs() - movedAtMs >= timeoutSeconds * 1000;

/** Into a full pool it would copy for ever without a word: that is asked when it has not moved for the backend's timeout. */
const running = ({ places }: PlacedMove, execution: Execution | undefined, deps: MoveDeps): MoveState => {
  if (!execution) return { state: 'running', percent: null };
  if (execution.failure !== undefined) return { state: 'failed', reason: execution.failure };
  const full = hasStoodStill(execution, deps) ? fullness(places.destination) : undefined;
  return full === undefined
    ? { state: 'running', percent: execution.percent }
    : { state: 'failed', reason: `${places.destination.place}: ${full}` };
};
