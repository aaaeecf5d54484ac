import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../command-line.ts';
import type { BenchOptions } from './arguments.ts';

/** Before the first minute of a long run, not after its last: the places that were named are there. */
export const requireDirectories = ({ dir, svg }: BenchOptions): void => {
  const named = [dir, svg === undefined ? undefined : dirname(svg)];
  for (const path of named)
    if (path !== undefined && !statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`there is no directory '${path}'`);
};
