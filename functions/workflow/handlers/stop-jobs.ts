import { RUN, step } from '../handler.ts';
import { stopJobs } from '../steps/stop-jobs.ts';

export const handler = step(RUN, stopJobs);
