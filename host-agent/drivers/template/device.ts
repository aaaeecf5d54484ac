import type { BlockDevice } from '../../../domain/block-device.ts';
import { DataPathError } from '../../device/errors.ts';
import type { Item } from './storage.ts';

/** An open object. What runs in a program of its own (as qemu-nbd does for `rbd`) is a Child of the agent, and dies with it. */
export const openItem = (item: Item, mode: 'ro' | 'rw'): BlockDevice => {
  item.users += 1;
  let isOpen = true;
  const within = (offset: number, lengthBytes: number): void => {
    if (offset < 0 || offset + lengthBytes > item.content.length)
      throw new DataPathError('OutOfRange', `${offset}+${lengthBytes} of ${item.content.length} bytes`);
  };
  const requireWritable = (): void => {
    if (mode === 'ro') throw new DataPathError('IoError', 'it was opened for reading alone');
  };
  return {
    sizeBytes: item.content.length,
    blockSizeBytes: 1,
    async read(offset, target) {
      within(offset, target.length);
      target.set(item.content.subarray(offset, offset + target.length));
    },
    async write(offset, source) {
      requireWritable();
      within(offset, source.length);
      item.content.set(source, offset);
    },
    async writeZeroes(offset, lengthBytes) {
      requireWritable();
      within(offset, lengthBytes);
      item.content.fill(0, offset, offset + lengthBytes);
    },
    async flush() {
      // here everything that was answered is durable, or an error says that it is not
    },
    // what cannot be told is data; a hole that is none would lose data
    async *extents(offset, lengthBytes) {
      yield { offset, lengthBytes, kind: 'data' };
    },
    async close() {
      if (isOpen) item.users -= 1;
      isOpen = false;
    },
  };
};
