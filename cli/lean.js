import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** How the launcher keeps the long-running processes small, and every start quick. Plain JavaScript: it runs before anything is stripped. */

const LEAN_COMMANDS = ['up', 'agent'];
const LEAN = 'VOLMOVE_LEAN';

/**
 * An agent copies with a window of buffers and a cloud answers small requests: neither gains from a large young generation, many
 * malloc arenas or code that is optimised early, and both would keep a hundred megabytes that they never use (docs/performance.md).
 * All of it is settled when a process begins, so it begins once more, in place (Node's process.execve, where there is one).
 */
export const FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--max-lazy'];
export const ENVIRONMENT = {
  UV_THREADPOOL_SIZE: '8',
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '524288',
  MALLOC_MMAP_THRESHOLD_: '524288',
};

export const beginLean = (self) => {
  const again = process.env[LEAN] !== undefined;
  if (again || !LEAN_COMMANDS.includes(process.argv[2]) || process.execve === undefined) return;
  const args = [process.execPath, ...FLAGS, self, ...process.argv.slice(2)];
  process.execve(process.execPath, args, { ...ENVIRONMENT, ...process.env, [LEAN]: '1' });
};

const SOURCES = ['domain', 'store', 'aws', 'local', 'functions', 'host-agent', 'embedded', 'cli'];

/** The bundle (scripts/build.ts), unless a source is newer: it starts sooner and needs less memory, but must never be stale. */
export const freshBundle = (root) => {
  const bundle = join(root, 'dist', 'main.mjs');
  const built = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined) return undefined;
  const stale = SOURCES.some((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).some(
      (entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).mtimeMs > built,
    ),
  );
  return stale ? undefined : bundle;
};
