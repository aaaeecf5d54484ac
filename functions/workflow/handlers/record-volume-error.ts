import { step } from '../handler.ts';
import { RECORD_ERROR, recordVolumeError } from '../steps/record-volume.ts';

export const handler = step(RECORD_ERROR, recordVolumeError);
