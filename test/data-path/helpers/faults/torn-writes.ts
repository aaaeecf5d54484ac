import type { BlockDevice } from '../../../../domain/block-device.ts';
import { eio } from './system-errors.ts';

/** Of the nth write only a prefix lands, and even that for good; then the device says that it failed, or that all is well. */
export interface Tear {
  readonly nth: number;
  readonly landedBytes: number;
  readonly says: 'an error' | 'a success';
}

export const torn = (device: BlockDevice, { nth, landedBytes, says }: Tear): BlockDevice => {
  let writes = 0;
  return {
    ...device,
    async write(offset, source, signal) {
      if (++writes !== nth) return device.write(offset, source, signal);
      await device.write(offset, source.subarray(0, landedBytes), signal);
      await device.flush();
      if (says === 'an error') throw eio('writing');
    },
  };
};
