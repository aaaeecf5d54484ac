import type { VolmoveError } from '../../domain/error.ts';
import { volmoveError } from '../../domain/error.ts';
import type { MoveInput } from '../../domain/job/job.ts';
import { formatPlacement } from '../../domain/placement.ts';
import { createRate } from '../copy/rate.ts';
import type { BackendMove, BackendMoves, MoveState } from '../drivers/moves.ts';
import { translate } from '../failures.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';

/**
 * A move that the backend makes by itself: asked about, begun or taken up again, and watched until both sides are alike. It is
 * finished or undone by jobs of their own, which do not give up while the backend is only away: nobody else can do it.
 */
type Run = JobRun<'backend.move'>;

const PAUSE_BETWEEN_TRIES_MS = 2_000;
/** A short move is not waited for long after its end, and a backend that counts requests is asked seldom during a long one. */
const LEAST_POLL_MS = 250;
const MOST_POLL_MS = 5_000;
const POLLS_PER_TIME = 10;

const moveOf = ({ source, destination, sizeBytes }: MoveInput): BackendMove => ({ source, destination, sizeBytes });

const movesOf = (parts: AgentParts, { source }: Pick<MoveInput, 'source'>): BackendMoves => {
  const { moves } = parts.backends.get(source);
  if (!moves)
    throw volmoveError('BackendRefused', { place: formatPlacement(source), reason: 'it makes no moves by itself' });
  return moves;
};

const pollMs = ({ settings }: AgentParts, { job }: Run, elapsedMs: number): number => {
  const reportMs = (job.input.progressIntervalSeconds ?? settings.progressIntervalSeconds) * 1000;
  return Math.min(Math.max(LEAST_POLL_MS, elapsedMs / POLLS_PER_TIME), MOST_POLL_MS, reportMs);
};

/** Undefined where nothing is known of how far it is: then nothing is told, which is not 0 percent. */
const settledBytes = (state: MoveState, totalBytes: number): number | undefined => {
  switch (state.state) {
    case 'running':
      return state.percent === null ? undefined : Math.floor((totalBytes * state.percent) / 100);
    case 'synchronised':
    case 'finished':
      return totalBytes;
    case 'none':
    case 'failed':
      return undefined;
  }
};

const watch = async (parts: AgentParts, run: Run, moves: BackendMoves, first: MoveState): Promise<void> => {
  const move = moveOf(run.job.input);
  const totalBytes = move.sizeBytes;
  const rate = createRate(parts.monotonicMs);
  const beganMs = parts.monotonicMs();
  for (let state = first; ; state = await moves.poll(move, run.signal)) {
    const settled = settledBytes(state, totalBytes);
    if (settled !== undefined)
      run.measured({ settledBytes: settled, totalBytes, rateBytesPerSecond: rate.add(settled) });
    if (state.state === 'synchronised' || state.state === 'finished') return;
    if (state.state !== 'running') {
      const reason = state.state === 'failed' ? state.reason : 'the move is not there any more';
      throw volmoveError('BackendRefused', { place: formatPlacement(run.job.input.source), reason });
    }
    await parts.sleep(pollMs(parts, run, parts.monotonicMs() - beganMs), run.signal);
  }
};

type Begun = { readonly state: MoveState } | { readonly reason: string };

const begin = async (moves: BackendMoves, move: BackendMove, signal: AbortSignal): Promise<Begun> => {
  const state = await moves.recover(move, signal);
  if (state.state !== 'none') return { state };
  const movable = await moves.canMove(move, signal);
  if (!movable.ok) return { reason: movable.reason };
  await moves.start(move, signal);
  return { state: await moves.poll(move, signal) };
};

export const moveWithinBackend: JobHandler<'backend.move'> = async (parts, run) => {
  const moves = movesOf(parts, run.job.input);
  const move = moveOf(run.job.input);
  // under the journal: what was undone is not begun any more, however late its job is taken
  const begun = await parts.objects.make(move.destination.objectName, () => begin(moves, move, run.signal));
  if ('reason' in begun) return { moved: false, reason: begun.reason };
  await watch(parts, run, moves, begun.state);
  return { moved: true };
};

const isPassing = ({ code }: VolmoveError): boolean =>
  code === 'BackendOffline' || code === 'BackendTimedOut' || code === 'ObjectBusy';

/** What it waits for is told when it is another reason than before, and every so often. */
const TOLD_EVERY_MS = 60_000;

/** Until it has succeeded, or has failed for a reason that waiting does not mend. */
const untilDone = async <T>(
  { monotonicMs, sleep, onProblem }: AgentParts,
  signal: AbortSignal,
  what: string,
  act: () => Promise<T>,
): Promise<T> => {
  const beganMs = monotonicMs();
  let told: { readonly message: string; readonly atMs: number } | undefined;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (thrown) {
      const error = translate(thrown, what);
      if (!isPassing(error)) throw error;
      const [{ message }, atMs] = [error, monotonicMs()];
      if (told?.message !== message || atMs - told.atMs >= TOLD_EVERY_MS) {
        onProblem(`${what}, which has waited for ${Math.round((atMs - beganMs) / 1000)} s by now`, error);
        told = { message, atMs };
      }
      await sleep(PAUSE_BETWEEN_TRIES_MS, signal);
    }
  }
};

export const finishMove: JobHandler<'backend.finish'> = async (parts, { job, signal }) => {
  const moves = movesOf(parts, job.input);
  const what = `finishing the move of ${job.input.source.objectName}`;
  const { objectId, sizeBytes } = await untilDone(parts, signal, what, () => moves.finish(moveOf(job.input), signal));
  return { objectId, sizeBytes };
};

export const undoMove: JobHandler<'backend.undo'> = async (parts, { job, signal }) => {
  const moves = movesOf(parts, job.input);
  const what = `undoing the move of ${job.input.source.objectName}`;
  const move = moveOf(job.input);
  await parts.objects.bury(move.destination.objectName, () =>
    untilDone(parts, signal, what, () => moves.abort(move, signal)),
  );
  return {};
};
