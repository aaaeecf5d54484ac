import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationBody, Rig } from '../../system/rig.ts';

/** Bytes a second: with this limit a copy of the tests’ volumes ends when the test wants it, on any machine. */
export const CRAWL = 32 * 1024;

const ENDED = ['succeeded', 'failed', 'refused'];
const DEADLINE_MS = Number(process.env.TEST_DEADLINE_MS ?? 170_000);

/**
 * Copying, with something settled at the destination. A migration that has come to its end instead fails the test at once, with
 * all that is known of it.
 */
export const inMidCopy = async (rig: Pick<Rig, 'migration'>, id: string): Promise<MigrationBody> => {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const now = await rig.migration(id);
    if (now.phase === 'copying' && (now.progress?.done_bytes ?? 0) > 0) return now;
    if (ENDED.includes(now.state)) throw new Error(`It has ended, and was to be copying: ${JSON.stringify(now)}`);
    if (performance.now() > deadline)
      throw new Error(`It is not copying after ${DEADLINE_MS / 1000} s: ${JSON.stringify(now)}`);
    await sleep(50);
  }
};
