import type { Migration } from '../api/types.ts';
import { hasBytes } from '../watch/phases.ts';

/** A pause in words; undefined when there is none. A migration is paused when everything has settled, and pausing before that. */
export const pauseState = ({ paused, phase, progress, ended_at: endedAt }: Migration): string | undefined => {
  if (paused === null || endedAt !== null) return undefined;
  if (progress?.activity === 'paused' && progress.phase === phase) return 'paused';
  return hasBytes(phase) ? 'pausing' : 'pauses when the copy begins';
};
