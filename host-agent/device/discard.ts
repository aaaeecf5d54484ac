import { libc, PUNCH_HOLE_KEEP_SIZE } from './libc.ts';
import type { OpenedFile } from './open-file.ts';

/** Gives space back that nobody needs: a hole in a file, a discard on a block device. Advice, so a refusal is no error. */
const SECTOR_BYTES = 512;

export const discard = async ({ buffered: { fd }, kind }: OpenedFile, from: number, end: number): Promise<void> => {
  if (kind === 'file') {
    if (from < end) await libc?.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, from, end - from);
    return;
  }
  // whole sectors inside of the range: what is beside it is needed
  const first = Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES;
  const last = Math.floor(end / SECTOR_BYTES) * SECTOR_BYTES;
  if (first < last) await libc?.discard(fd, first, last - first);
};
