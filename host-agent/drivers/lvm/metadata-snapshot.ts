import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { volmoveError } from '../../../domain/error.ts';
import type { Children } from '../../children/child.ts';
import { createTurnsOf } from '../../in-turn.ts';
import { type Lvm, packageOf } from './commands.ts';
import { lvmError } from './errors.ts';
import { dmName } from './names.ts';
import type { LvmPool } from './pool.ts';
import { poolDevice, thinSpace } from './space.ts';
import { readThinMap, type ThinMap } from './thin-map.ts';

/**
 * The kernel keeps one snapshot of a thin pool's metadata, for whoever reserves it: so that the map of a volume can be read while
 * the pool is at work, without a snapshot of the volume. One at a time in this process; given back whatever happens.
 */
export interface SnapshotDeps {
  readonly lvm: Lvm;
  readonly children: Children;
  readonly runDir: string;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Whoever else maps volumes needs no longer for it; what is held for longer was left by one that died. */
const OTHERS_MS = 15_000;
const LOOK_AGAIN_MS = 250;

const NEVER = new AbortController().signal;

/** Of all backends of the process. */
const poolTurn = createTurnsOf();
let dumps = 0;

const message = async (lvm: Lvm, device: string, text: string, signal: AbortSignal) =>
  lvm.run(['dmsetup', 'message', device, '0', text], signal);

/** A snapshot that stays the same for so long is nobody's any more: one agent's that was killed, or a tool's. */
const awaitTurn = async (
  { lvm, monotonicMs, sleep }: SnapshotDeps,
  device: string,
  signal: AbortSignal,
): Promise<void> => {
  let held: string | null = null;
  let sinceMs = monotonicMs();
  for (;;) {
    const space = await thinSpace(lvm, device, signal);
    const root = space?.heldRoot ?? null;
    if (root === null) return;
    if (root !== held) {
      held = root;
      sinceMs = monotonicMs();
    }
    if (monotonicMs() - sinceMs >= OTHERS_MS) {
      await message(lvm, device, 'release_metadata_snap', signal);
      return;
    }
    await sleep(LOOK_AGAIN_MS, signal);
  }
};

const reserve = async (deps: SnapshotDeps, device: string, place: string, signal: AbortSignal): Promise<void> => {
  for (;;) {
    signal.throwIfAborted();
    // not stopped in its middle: then nobody would know whether it is to be given back
    const end = await message(deps.lvm, device, 'reserve_metadata_snap', NEVER);
    if (end.exitCode === 0) return;
    const error = lvmError(end, { place, object: device });
    if (error.code !== 'ObjectBusy') throw error;
    await awaitTurn(deps, device, signal);
  }
};

/** Runs to its end however long a large pool takes, and dies with the agent. */
const dump = async (
  { children }: SnapshotDeps,
  args: readonly string[],
  place: string,
  signal: AbortSignal,
): Promise<void> => {
  const program = 'thin_dump';
  const child = await children.start({ program, package: packageOf(program), args });
  const kill = (): void => child.signal('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) kill();
    else child.go();
    const { exitCode, stderr } = await child.ended;
    signal.throwIfAborted();
    if (exitCode !== 0)
      throw volmoveError('BackendRefused', { place, reason: `thin_dump: ${stderr.trim() || `exit code ${exitCode}`}` });
  } finally {
    signal.removeEventListener('abort', kill);
  }
};

/** What is mapped of a volume at the moment of asking. Undefined: it cannot be told. */
export const mapOf = (
  deps: SnapshotDeps,
  { pool, thinPool, thinId }: { readonly pool: LvmPool; readonly thinPool: string; readonly thinId: number },
  signal: AbortSignal,
): Promise<ThinMap | undefined> => {
  const device = poolDevice(pool, thinPool);
  return poolTurn(device)(async () => {
    signal.throwIfAborted();
    dumps += 1;
    const file = join(deps.runDir, `thin-map-${dumps}.xml`);
    await reserve(deps, device, pool.place, signal);
    try {
      signal.throwIfAborted();
      const metadata = `/dev/mapper/${dmName(pool.vg, `${thinPool}_tmeta`)}`;
      await dump(deps, ['-m', '--dev-id', String(thinId), '-o', file, metadata], pool.place, signal);
    } finally {
      // also after an abort
      await message(deps.lvm, device, 'release_metadata_snap', NEVER);
    }
    try {
      return await readThinMap(file, thinId);
    } finally {
      await rm(file, { force: true });
    }
  });
};
