import { cleanupDone } from '../domain/cleanup.ts';
import type { Volume } from '../domain/volume/volume.ts';

/** True while something about the volume is unfinished: the sweeper looks at it until this is false. */
export const volumeIsOpen = (volume: Volume): boolean =>
  volume.claim !== null ||
  volume.status === 'creating' ||
  volume.status === 'managing' ||
  volume.status === 'deleting' ||
  volume.status === 'error_deleting' ||
  volume.retained.length > 0 ||
  !cleanupDone(volume.cleanup);
