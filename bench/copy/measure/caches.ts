import { existsSync } from 'node:fs';
import { run } from './launch.ts';

/** GNU dd: with a count of 0 this advises the kernel to drop the whole file, which works for what is clean. */
export const dropCaches = async (paths: readonly string[], signal: AbortSignal): Promise<void> => {
  for (const path of paths)
    if (existsSync(path)) await run({ argv: ['dd', `if=${path}`, 'iflag=nocache', 'count=0', 'status=none'] }, signal);
};
