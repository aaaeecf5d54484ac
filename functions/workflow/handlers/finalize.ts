import { RUN, step } from '../handler.ts';
import { finalize } from '../steps/finalize.ts';

export const handler = step(RUN, finalize);
