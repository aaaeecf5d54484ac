import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ourCommand } from '../contenders/ours.ts';
import { MIB } from '../layout.ts';
import { createSized } from '../scratch.ts';
import type { CaseDeps } from './case-deps.ts';
import { run } from './launch.ts';
import { spreadOf } from './statistics.ts';

/**
 * Seconds that our program takes for a volume without anything in it. An agent starts once and copies for months, but here each
 * of our numbers has a start in it, as each of the peers' has: this is how much.
 */
const TRIES = 5;

export const startUpSeconds = async ({ scratch, ours, signal }: CaseDeps): Promise<number> => {
  const [source, destination] = [join(scratch.memory, 'empty.img'), join(scratch.memory, 'empty.copy.img')] as const;
  try {
    for (const path of [source, destination]) await createSized(path, MIB);
    const seconds: number[] = [];
    for (let i = 0; i < TRIES; i++)
      seconds.push((await run(ourCommand(ours, 'copy', source, destination), signal)).seconds);
    return spreadOf(seconds).median;
  } finally {
    for (const path of [source, destination]) await rm(path, { force: true });
  }
};
