import { RUN, step } from '../handler.ts';
import { lockVolume } from '../steps/lock-volume.ts';

export const handler = step(RUN, lockVolume);
