import type { BlockDevice } from '../../../../domain/block-device.ts';
import { DataPathError } from '../../../../host-agent/device/errors.ts';
import { enospc } from './system-errors.ts';

/** After so many calls the device is smaller than it said when it was opened: beyond its end it reads short and takes nothing. */
export const shrinking = (device: BlockDevice, afterCalls: number, sizeBytes: number): BlockDevice => {
  let calls = 0;
  const isBeyond = (end: number): boolean => ++calls > afterCalls && end > sizeBytes;
  return {
    ...device,
    async read(offset, target, signal) {
      if (isBeyond(offset + target.length))
        throw new DataPathError('ShortRead', `reading at ${offset}: nothing came, ${target.length} bytes are missing`);
      await device.read(offset, target, signal);
    },
    async write(offset, source, signal) {
      if (isBeyond(offset + source.length)) throw enospc('writing');
      await device.write(offset, source, signal);
    },
  };
};
