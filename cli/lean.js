import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** How the launcher keeps the long-running processes small, and every start quick. Plain JavaScript: it runs before anything is stripped. */

const LEAN_COMMANDS = ['up', 'agent'];
const LEAN = 'VOLMOVE_LEAN';

/**
 * An agent copies with a window of buffers and a cloud answers small requests: neither gains from a large young generation or
 * many malloc arenas, and both would keep a hundred megabytes that they never use. Both are settled when a process begins, so
 * it begins once more, in place (Node's process.execve, where there is one).
 */
export const beginLean = (self) => {
  if (!LEAN_COMMANDS.includes(process.argv[2]) || process.env[LEAN] !== undefined || process.execve === undefined)
    return;
  process.execve(process.execPath, [process.execPath, '--max-semi-space-size=4', self, ...process.argv.slice(2)], {
    UV_THREADPOOL_SIZE: '8',
    MALLOC_ARENA_MAX: '2',
    ...process.env,
    [LEAN]: '1',
  });
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
