import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ourCommand } from '../contenders/ours.ts';
import { MIB } from '../layout.ts';
import { createSized } from '../scratch.ts';
import type { CaseDeps } from './case-deps.ts';
import { run } from './launch.ts';
import { spreadOf } from './statistics.ts';

/**
 * Seconds that our program takes for a volume without anything in it. An agent starts once and copies for months, so it stands by
 * when the clock begins to run; peers are programs that begin with each copy. This is how much is left out.
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
