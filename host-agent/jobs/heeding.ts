import { createTokenBucket, type TokenBucket } from '../copy/token-bucket.ts';
import type { AgentParts, JobRun } from './context.ts';

/** How a job that handles a volume's bytes goes by its wishes: a pause, which it wakes from at once, and the limits. */
type Run = Pick<JobRun<'data.copy'>, 'control'>;

/** Undefined unless a pause is wished. */
export const whilePaused = ({ control }: Run, signal: AbortSignal): Promise<void> | undefined =>
  control.current().paused ? control.until(({ paused }) => !paused, signal) : undefined;

/** The job's own limit and its share of the host's. */
export const bucketsOf = ({ monotonicMs, sleep, hostBucket }: AgentParts, { control }: Run): TokenBucket[] => [
  createTokenBucket({ monotonicMs, sleep, rate: () => control.current().bandwidthBytesPerSecond }),
  hostBucket.join(),
];
