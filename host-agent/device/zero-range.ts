import { throwIfAborted } from './errors.ts';
import { libc, PUNCH_HOLE_KEEP_SIZE, ZERO_RANGE_KEEP_SIZE } from './libc.ts';
import type { OpenedFile } from './open-file.ts';
import { transfer } from './transfer.ts';

/**
 * Zeroes on a file or block device, by the cheapest way that promises to read as zeroes: a punched hole (which keeps a file
 * thin), ZERO_RANGE, BLKZEROOUT, and at last writing them. Never a discard, which promises nothing.
 */
const SECTOR_BYTES = 512;
const PIECE = Buffer.alloc(1024 * 1024);

const writeZeroes = async (
  { path, buffered }: OpenedFile,
  from: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<void> => {
  for (let offset = from; offset < end; offset += PIECE.length) {
    throwIfAborted(signal);
    const memory = PIECE.subarray(0, Math.min(PIECE.length, end - offset));
    await transfer({ doing: 'zeroing', path, offset, memory }, async (position, part) => {
      return (await buffered.write(part, 0, part.length, position)).bytesWritten;
    });
  }
};

const deallocates = async ({ buffered: { fd } }: OpenedFile, from: number, end: number): Promise<boolean> =>
  libc !== undefined &&
  ((await libc.fallocate(fd, PUNCH_HOLE_KEEP_SIZE, from, end - from)) ||
    (await libc.fallocate(fd, ZERO_RANGE_KEEP_SIZE, from, end - from)));

/** Why a call refused does not matter: writing is tried last, and tells the truth about a device that is full or broken. */
export const zeroRange = async (
  opened: OpenedFile,
  from: number,
  end: number,
  signal: AbortSignal | undefined,
): Promise<void> => {
  if (from >= end) return;
  if (opened.kind === 'file') {
    if (!(await deallocates(opened, from, end))) await writeZeroes(opened, from, end, signal);
    return;
  }
  // BLKZEROOUT takes whole sectors only
  const first = Math.min(end, Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES);
  const last = Math.max(first, Math.floor(end / SECTOR_BYTES) * SECTOR_BYTES);
  await writeZeroes(opened, from, first, signal);
  if (first < last && !(await libc?.zeroOut(opened.buffered.fd, first, last - first)))
    await writeZeroes(opened, first, last, signal);
  await writeZeroes(opened, last, end, signal);
};
