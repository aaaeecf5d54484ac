import type { BlockDevice } from '../../../../domain/block-device.ts';

/** From the nth on a flush says that all is well and makes nothing durable: a crash loses what it should have kept. */
export const flushesLost = (device: BlockDevice, fromNth: number): BlockDevice => {
  let flushes = 0;
  return {
    ...device,
    async flush(signal) {
      if (++flushes < fromNth) await device.flush(signal);
    },
  };
};
