import type { MigrationBody, Rig } from '../../system/rig.ts';
import { eventually } from './eventually.ts';

/** Bytes a second: with this limit a copy of the tests’ volumes ends when the test wants it, on any machine. */
export const CRAWL = 8 * 1024;

export const hasEnded = ({ state }: MigrationBody): boolean => ['succeeded', 'failed', 'refused'].includes(state);

/** In that phase, with something settled. A migration that has ended instead fails the test at once, with all that is known of it. */
export const isInTheMiddle =
  (wanted: 'copying' | 'moving') =>
  (now: MigrationBody): boolean => {
    if (hasEnded(now)) throw new Error(`It has ended, and was to be ${wanted}: ${JSON.stringify(now)}`);
    return now.phase === wanted && (now.progress?.done_bytes ?? 0) > 0;
  };

export const inMidCopy = (rig: Pick<Rig, 'migration'>, id: string): Promise<true> =>
  eventually(
    `${id} is in the middle of its copy`,
    () => rig.migration(id),
    (now) => isInTheMiddle('copying')(now) || undefined,
  );
