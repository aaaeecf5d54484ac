import type { Job } from '../../domain/job/job.ts';
import type { RunningJob } from '../../host-agent/jobs/run-job.ts';

/** A job that an agent's loop has begun, and that ends at once unless the test says when. */
export const aRunningJob = ({ id, kind }: Job, change: Partial<RunningJob> = {}): RunningJob => ({
  id,
  kind,
  rests: false,
  waits: false,
  goOn: () => undefined,
  heard: () => undefined,
  done: Promise.resolve(),
  ...change,
});
