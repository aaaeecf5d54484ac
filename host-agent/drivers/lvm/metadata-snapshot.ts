import { VolmoveError } from '../../../domain/error.ts';
import type { Children } from '../../children/child.ts';
import { createTurnsOf } from '../../in-turn.ts';
import type { Lvm } from './commands.ts';
import { lvmError } from './errors.ts';
import { dmName } from './names.ts';
import type { LvmPool } from './pool.ts';
import { poolDevice, thinSpace } from './space.ts';

/**
 * The kernel keeps one snapshot of a thin pool's metadata, for whoever reserves it: so that the map of a volume can be read while
 * the pool is at work, without a snapshot of the volume. Others on this host use it, too, and nothing but the root that it has tells
 * whose it is: what was read counts when that root was held from before until after, and only that root is given back.
 */
export interface SnapshotDeps {
  readonly lvm: Lvm;
  readonly children: Children;
  readonly runDir: string;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A thin pool, as device-mapper knows its parts. */
export interface PoolMetadata {
  readonly place: string;
  readonly pool: string;
  readonly metadata: string;
}

export const poolMetadata = (pool: LvmPool, thinPool: string): PoolMetadata => ({
  place: pool.place,
  pool: poolDevice(pool, thinPool),
  metadata: dmName(pool.vg, `${thinPool}_tmeta`),
});

/** What is held for so long, with nobody reading the metadata, was left by one that died. */
const ABANDONED_MS = 15_000;
/** For somebody who reads and reads: after that a volume is read from end to end, which is right, and slow. */
const MOST_WAIT_MS = 300_000;
const LOOK_AGAIN_MS = 500;
/** How often another may take it away in the middle. */
const TRIES = 3;

const NEVER = new AbortController().signal;

/** Of all backends of the process. */
const poolTurn = createTurnsOf();

const message = async ({ lvm }: SnapshotDeps, { place, pool }: PoolMetadata, text: string): Promise<void> => {
  // not stopped in its middle: then nobody would know whether it is to be given back
  const end = await lvm.run(['dmsetup', 'message', pool, '0', text], NEVER);
  if (end.exitCode !== 0) throw lvmError(end, { place, object: pool });
};

const heldRoot = async ({ lvm }: SnapshotDeps, { pool }: PoolMetadata, signal: AbortSignal): Promise<string | null> =>
  (await thinSpace(lvm, pool, signal))?.heldRoot ?? null;

/** The pool itself has its metadata open once. What cannot be told may be. */
const isRead = async ({ lvm }: SnapshotDeps, { metadata }: PoolMetadata, signal: AbortSignal): Promise<boolean> => {
  const end = await lvm.run(['dmsetup', 'info', '-c', '--noheadings', '-o', 'open', metadata], signal);
  return end.exitCode !== 0 || !(Number(end.stdout.trim() || Number.NaN) <= 1);
};

const giveBack = async (deps: SnapshotDeps, where: PoolMetadata, root: string): Promise<void> => {
  if ((await heldRoot(deps, where, NEVER)) === root) await message(deps, where, 'release_metadata_snap');
};

/** False when it is somebody else's for too long. */
const awaitTurn = async (deps: SnapshotDeps, where: PoolMetadata, signal: AbortSignal): Promise<boolean> => {
  const { monotonicMs, sleep } = deps;
  const beganMs = monotonicMs();
  let held: string | null = null;
  let sinceMs = beganMs;
  for (;;) {
    const root = await heldRoot(deps, where, signal);
    if (root === null) return true;
    const isUsed = root !== held || (await isRead(deps, where, signal));
    const nowMs = monotonicMs();
    if (isUsed) sinceMs = nowMs;
    held = root;
    if (nowMs - sinceMs >= ABANDONED_MS) {
      await giveBack(deps, where, root);
      return true;
    }
    if (nowMs - beganMs >= MOST_WAIT_MS) return false;
    await sleep(LOOK_AGAIN_MS, signal);
  }
};

/** Gives back after a failure, which is what the caller hears of; what fails of that is said with it. */
const givingBackAfter = async (failure: unknown, back: () => Promise<void>): Promise<never> => {
  try {
    await back();
  } catch (error) {
    if (!(failure instanceof VolmoveError)) throw error;
    const message = `${failure.message} The snapshot of the pool's metadata could not be given back: ${(error as Error).message}`;
    throw new VolmoveError({ ...failure.toFailure(), message }, { cause: error });
  }
  throw failure;
};

/** Where nobody knows whether the reservation has happened, what is held and read by nobody is ours as far as can be told. */
const giveBackUnseen = async (deps: SnapshotDeps, where: PoolMetadata): Promise<void> => {
  const root = await heldRoot(deps, where, NEVER);
  if (root !== null && !(await isRead(deps, where, NEVER))) await giveBack(deps, where, root);
};

/** The root that is ours from now on; null when another took it away at once. */
const tryToReserve = async (deps: SnapshotDeps, where: PoolMetadata): Promise<string | null> => {
  const unseen = (failure: unknown): Promise<never> => givingBackAfter(failure, () => giveBackUnseen(deps, where));
  try {
    await message(deps, where, 'reserve_metadata_snap');
  } catch (error) {
    if ((error as VolmoveError).code !== 'BackendTimedOut') throw error;
    return unseen(error);
  }
  return heldRoot(deps, where, NEVER).catch(unseen);
};

/** Undefined when it is another's for too long, or the pool takes no messages, as one that is read-only. */
const reserve = async (
  deps: SnapshotDeps,
  where: PoolMetadata,
  signal: AbortSignal,
): Promise<string | null | undefined> => {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await tryToReserve(deps, where);
    } catch (error) {
      const { code } = error as VolmoveError;
      if (code === 'BackendRefused') return undefined;
      if (code !== 'ObjectBusy') throw error;
    }
    if (!(await awaitTurn(deps, where, signal))) return undefined;
  }
};

const whileHeld = async <T>(
  deps: SnapshotDeps,
  where: PoolMetadata,
  root: string,
  read: () => Promise<T>,
): Promise<{ readonly value: T } | 'lost'> => {
  const [outcome] = await Promise.allSettled([read()]);
  // taken away in the middle: what was read may be of anything
  if ((await heldRoot(deps, where, NEVER)) !== root) return 'lost';
  const release = (): Promise<void> => message(deps, where, 'release_metadata_snap');
  if (outcome.status === 'rejected') return givingBackAfter(outcome.reason, release);
  await release();
  return { value: outcome.value };
};

/**
 * Runs `read` while the snapshot is ours. Undefined when it cannot be had, or others take it away again and again. One at a time in
 * this process; given back whatever happens.
 */
export const withMetadataSnapshot = <T>(
  deps: SnapshotDeps,
  where: PoolMetadata,
  read: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> =>
  poolTurn(where.pool)(async () => {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const root = await reserve(deps, where, signal);
      if (root === undefined) return undefined;
      const done = root === null ? 'lost' : await whileHeld(deps, where, root, read);
      if (done !== 'lost') return done.value;
    }
    return undefined;
  }, signal);
