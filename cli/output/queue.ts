import type { Migration } from '../api/types.ts';

/** A wait for a place at a host in words; undefined when it does not wait. */

const ENDINGS: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd' };
const RULES = new Intl.PluralRules('en', { type: 'ordinal' });
const ordinal = (count: number): string => `${count}${ENDINGS[RULES.select(count)] ?? 'th'}`;

export const queueState = ({ progress, phase, ended_at: endedAt }: Migration): string | undefined => {
  if (progress === null || endedAt !== null || progress.phase !== phase || progress.activity !== 'queued')
    return undefined;
  const { queue } = progress;
  if (!queue) return 'queued';
  const backend = queue.waiting_for === 'backend' ? ` (backend ${queue.backend})` : '';
  return `queued, ${ordinal(queue.position)} of ${queue.of} on ${queue.host}${backend}`;
};
