import { RUN, step } from '../handler.ts';
import { switchOver } from '../steps/switch-over.ts';

export const handler = step(RUN, switchOver);
