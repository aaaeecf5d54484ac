import type { BlockDevice } from '../../../../domain/block-device.ts';

/** Counts the calls that could change a device: a source has none. */
export interface Watched extends BlockDevice {
  readonly changes: () => number;
}

export const watched = (device: BlockDevice): Watched => {
  let changes = 0;
  return {
    ...device,
    changes: () => changes,
    write: (...args) => {
      changes += 1;
      return device.write(...args);
    },
    writeZeroes: (...args) => {
      changes += 1;
      return device.writeZeroes(...args);
    },
  };
};
