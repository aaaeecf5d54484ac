import { OPERATION } from '../dispatch/volume.ts';
import { step } from '../handler.ts';
import { recordVolume } from '../steps/record-volume.ts';

export const handler = step(OPERATION, recordVolume);
