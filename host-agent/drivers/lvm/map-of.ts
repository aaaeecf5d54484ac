import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { volmoveError } from '../../../domain/error.ts';
import { packageOf } from './commands.ts';
import { poolMetadata, type SnapshotDeps, withMetadataSnapshot } from './metadata-snapshot.ts';
import type { LvmPool } from './pool.ts';
import { readThinMap, type ThinMap } from './thin-map.ts';

/** Reads the map of a thin volume out of its pool's metadata. */

let dumps = 0;

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
export const mapOf = async (
  deps: SnapshotDeps,
  { pool, thinPool, thinId }: { readonly pool: LvmPool; readonly thinPool: string; readonly thinId: number },
  signal: AbortSignal,
): Promise<ThinMap | undefined> => {
  const where = poolMetadata(pool, thinPool);
  dumps += 1;
  const file = join(deps.runDir, `thin-map-${dumps}.xml`);
  const args = ['-m', '--dev-id', String(thinId), '-o', file, `/dev/mapper/${where.metadata}`];
  try {
    return await withMetadataSnapshot(
      deps,
      where,
      async () => {
        await dump(deps, args, pool.place, signal);
        return readThinMap(file, thinId);
      },
      signal,
    );
  } finally {
    await rm(file, { force: true });
  }
};
