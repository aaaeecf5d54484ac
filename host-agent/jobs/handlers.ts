import type { JobHandlers } from './context.ts';
import { copyData } from './copy.ts';
import { createVolume, prepareDestination, removeObject } from './objects.ts';
import { verifyData } from './verify.ts';

export const HANDLERS: JobHandlers = {
  'volume.create': createVolume,
  'destination.prepare': prepareDestination,
  'data.copy': copyData,
  'data.verify': verifyData,
  'object.remove': removeObject,
};
