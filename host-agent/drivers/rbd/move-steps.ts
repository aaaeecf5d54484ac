import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { FoundObject } from '../contract.ts';
import type { BackendMove } from '../moves.ts';
import type { DriverDeps } from '../registry.ts';
import type { Cluster } from './cluster.ts';
import type { Commands } from './commands.ts';
import { ERRNO, errnoOf, refusalBy } from './errors.ts';
import { found, type Images, missing } from './images.ts';
import { movable } from './movable.ts';
import { lookAt, type MovePlaces } from './move-standing.ts';
import { imageSpec } from './names.ts';
import { type Users, WATCH_EXPIRES_MS } from './users.ts';

/** The steps of a move, each of which changes something in the cluster. */
export interface MoveDeps extends Pick<DriverDeps, 'monotonicMs' | 'sleep'> {
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

export const refused = ({ places }: PlacedMove, reason: string): VolmoveError =>
  volmoveError('BackendRefused', { place: places.source.place, reason });

/** A step that the cluster did not take. */
const refusedStep = (end: Parameters<typeof refusalBy>[0], { move, places }: PlacedMove, timeoutSeconds: number) =>
  refusalBy(end, { place: places.destination.place, object: move.destination.objectName, timeoutSeconds });

export const prepareMove = async (placed: PlacedMove, { images, users, changed }: MoveDeps): Promise<void> => {
  const { move, places, signal } = placed;
  const able = await movable(move, places, images, users, signal);
  if (!able.ok) throw refused(placed, able.reason);
  const { objectName } = move.source;
  const args = ['migration', 'prepare', imageSpec(places.source.pool, objectName), specOf(placed)];
  await images.act(places.source, objectName, args, signal);
  changed(move.source.pool);
  changed(move.destination.pool);
};

/** The image has the destination's name from now on, and its tag says so, too. */
export const switched = async ({ move, places, signal }: PlacedMove, { images }: MoveDeps): Promise<FoundObject> => {
  const { objectName } = move.destination;
  const info = await images.info(places.destination, objectName, signal);
  if (!info) throw missing(places.destination, objectName);
  await images.tag(places.destination, objectName, signal);
  return found(info);
};

export const commitMove = async (placed: PlacedMove, deps: MoveDeps): Promise<FoundObject> => {
  const { move, places, signal } = placed;
  const end = await deps.commands.long(['migration', 'commit', specOf(placed)], signal);
  const { state } = await lookAt(move, places, deps.images, signal);
  if (state !== 'committed') throw refusedStep(end, placed, deps.timeoutSeconds);
  deps.changed(move.source.pool);
  return switched(placed, deps);
};

const LOOK_EVERY_MS = 1_000;

/** The cluster refuses it as long as it takes the client that copied for alive. */
export const abortMove = async (placed: PlacedMove, deps: MoveDeps): Promise<void> => {
  const { move, places, signal } = placed;
  const deadlineMs = deps.monotonicMs() + WATCH_EXPIRES_MS;
  for (;;) {
    const end = await deps.commands.long(['migration', 'abort', specOf(placed)], signal);
    const { state } = await lookAt(move, places, deps.images, signal);
    if (state === 'none') break;
    if (end.exitCode === 0)
      throw refused(
        placed,
        'the move was aborted, and the source is not back under its name; see `rbd trash ls --all`',
      );
    if (errnoOf(end) !== ERRNO.BUSY || deps.monotonicMs() > deadlineMs)
      throw refusedStep(end, placed, deps.timeoutSeconds);
    await deps.sleep(LOOK_EVERY_MS, signal);
  }
  deps.changed(move.destination.pool);
};
