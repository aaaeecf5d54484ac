import { RUN, step } from '../handler.ts';
import { recordCleanup } from '../steps/record-cleanup.ts';

export const handler = step(RUN, recordCleanup);
