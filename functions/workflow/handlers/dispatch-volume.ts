import { DISPATCH_VOLUME, dispatchVolume } from '../dispatch/volume.ts';
import { step } from '../handler.ts';

export const handler = step(DISPATCH_VOLUME, dispatchVolume);
