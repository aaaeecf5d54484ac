import { RUN, step } from '../handler.ts';
import { notifyStarted } from '../steps/notify-started.ts';

export const handler = step(RUN, notifyStarted);
