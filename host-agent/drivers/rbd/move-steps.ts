import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { ToolEnd } from '../../tools/run-tool.ts';
import type { FoundObject } from '../contract.ts';
import type { BackendMove } from '../moves.ts';
import type { DriverDeps } from '../registry.ts';
import { type Cluster, type FoundPool, requireRoom } from './cluster.ts';
import type { Commands, Limits } from './commands.ts';
import { ERRNO, errnoOf } from './errors.ts';
import type { Headers } from './headers.ts';
import { found, type Images, missing } from './images.ts';
import { inTrash, lookAt, type MovePlaces } from './move-standing.ts';
import { imageSpec } from './names.ts';
import { type Users, WATCH_EXPIRES_MS } from './users.ts';

/** The steps of a move, each of which changes something in the cluster. */
export interface MoveDeps extends Pick<DriverDeps, 'monotonicMs' | 'sleep'> {
  readonly headers: Headers;
  readonly commands: Commands;
  readonly images: Images;
  readonly cluster: Cluster;
  readonly users: Users;
  readonly timeoutSeconds: number;
  /** What a pool has promised is another. */
  readonly changed: (pool: string) => void;
}

export interface PlacedMove {
  readonly move: BackendMove;
  readonly places: MovePlaces;
  readonly signal: AbortSignal;
}

export const specOf = ({ move, places }: PlacedMove): string =>
  imageSpec(places.destination.pool, move.destination.objectName);

const sourceSpecOf = ({ move, places }: PlacedMove): string => imageSpec(places.source.pool, move.source.objectName);

export const refused = ({ places }: PlacedMove, reason: string): VolmoveError =>
  volmoveError('BackendRefused', { place: places.source.place, reason });

export const HALF_COMMITTED = 'the switch-over was interrupted, and can only be finished';

/** A step that the cluster did not take. */
const refusedStep = (end: ToolEnd, { move, places, signal }: PlacedMove, { images }: MoveDeps) =>
  images.refusal(end, places.destination, move.destination.objectName, signal);

/**
 * Cut off at its beginning it leaves the source in the trash: so neither the end of a job nor a request that takes long ends it, only
 * a cluster that does not move at all.
 */
const UNDISTURBED: Limits = { silentTimeouts: 20, bySignal: false, requestsTimeOut: false };

export const prepareMove = async (placed: PlacedMove, deps: MoveDeps): Promise<void> => {
  const { move, places, signal } = placed;
  requireRoom(places.destination);
  const args = ['migration', 'prepare', sourceSpecOf(placed), specOf(placed)];
  const end = await deps.commands.long(args, signal, UNDISTURBED);
  if (end.exitCode !== 0) throw await deps.images.refusal(end, places.source, move.source.objectName, signal);
  deps.changed(move.source.pool);
  deps.changed(move.destination.pool);
  signal.throwIfAborted();
};

/** The image has the destination's name from now on, and its tag says so, too. */
export const switched = async ({ move, places, signal }: PlacedMove, { images }: MoveDeps): Promise<FoundObject> => {
  const { objectName } = move.destination;
  const [info] = await Promise.all([
    images.info(places.destination, objectName, signal),
    images.tag(places.destination, objectName, signal),
  ]);
  if (!info) throw missing(places.destination, objectName);
  return found(info);
};

/** It removes a whole image, and may be silent for long where that is large. */
const UNHURRIED: Limits = { silentTimeouts: Number.POSITIVE_INFINITY, bySignal: true, requestsTimeOut: true };

export const commitMove = async (placed: PlacedMove, deps: MoveDeps): Promise<FoundObject> => {
  const { move, places, signal } = placed;
  const { objectId: id, objectName: name } = move.source;
  // refused in the middle it would have taken the destination, and left the source
  await deps.users.requireNoneById(places.source, { name, id }, signal);
  const end = await deps.commands.long(['migration', 'commit', specOf(placed)], signal, UNHURRIED);
  if (end.exitCode !== 0) {
    const { state } = await lookAt(move, places, deps.images, signal);
    if (state === 'half-committed') return completeCommit(placed, deps);
    if (state !== 'committed') throw await refusedStep(end, placed, deps);
  }
  deps.changed(move.source.pool);
  return switched(placed, deps);
};

/** What a commit does at last, of one that was cut off before. */
export const completeCommit = async (placed: PlacedMove, deps: MoveDeps): Promise<FoundObject> => {
  const { move, places, signal } = placed;
  const { objectId: id, objectName: name } = move.source;
  await deps.users.requireNoneById(places.source, { name, id }, signal);
  // rbd removes nothing that is marked as the source of a move
  await deps.headers.unmark(places.source, id, signal);
  const end = await deps.commands.long(['trash', 'rm', imageSpec(places.source.pool, id)], signal, UNHURRIED);
  if (end.exitCode !== 0 && errnoOf(end) !== ERRNO.NOT_THERE)
    throw await deps.images.refusal(end, places.source, id, signal);
  deps.changed(move.source.pool);
  return switched(placed, deps);
};

const LOOK_EVERY_MS = 1_000;

/**
 * By the source, which it finds in the trash by its name. The cluster refuses it as long as it takes the client that copied for alive;
 * and it knows nothing of a move that was cut off before it was written into the source.
 */
const askToAbort = async (placed: PlacedMove, deps: MoveDeps): Promise<void> => {
  const { move, places, signal } = placed;
  const deadlineMs = deps.monotonicMs() + WATCH_EXPIRES_MS;
  for (;;) {
    const end = await deps.commands.long(['migration', 'abort', sourceSpecOf(placed)], signal, UNHURRIED);
    if (end.exitCode === 0) return;
    if (errnoOf(end) === ERRNO.INVALID && (await inTrash(move, places.source, deps.images, signal)))
      return putBack(move, places.source, deps, signal);
    if (errnoOf(end) !== ERRNO.BUSY || deps.monotonicMs() > deadlineMs) throw await refusedStep(end, placed, deps);
    await deps.sleep(LOOK_EVERY_MS, signal);
  }
};

/** `isBack`: the source is back under its name, which rbd does last but one. */
export const abortMove = async (placed: PlacedMove, isBack: boolean, deps: MoveDeps): Promise<void> => {
  const { move, places, signal } = placed;
  if (isBack) await deps.headers.unmark(places.source, move.source.objectId, signal);
  else await askToAbort(placed, deps);
  const { state } = await lookAt(move, places, deps.images, signal);
  if (state !== 'none')
    throw refused(placed, 'the move was aborted, and the source is not back under its name; see `rbd trash ls --all`');
  deps.changed(move.source.pool);
  deps.changed(move.destination.pool);
};

export const putBack = ({ source }: BackendMove, where: FoundPool, { headers }: MoveDeps, signal: AbortSignal) =>
  headers.putBack(where, { name: source.objectName, id: source.objectId }, signal);
