import { RUN, step } from '../handler.ts';
import { notifyEnded } from '../steps/notify-ended.ts';

export const handler = step(RUN, notifyEnded);
