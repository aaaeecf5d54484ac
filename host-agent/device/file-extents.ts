import type { Extent } from '../../domain/block-device.ts';
import { DataPathError, throwIfAborted } from './errors.ts';
import { ENXIO, libc } from './libc.ts';
import type { OpenedFile } from './open-file.ts';

/**
 * Data and holes of a file, found as they are asked for. A block device has no holes to ask for (lseek answers EINVAL), and
 * whatever cannot be told is data: to read too much is slow, to believe in a hole that is none loses data.
 */
export async function* fileExtents(
  opened: OpenedFile,
  from: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Extent> {
  const { buffered, kind } = opened;
  for (let at = from; at < end; ) {
    throwIfAborted(signal);
    const dataAt = kind === 'block' ? at : await nextData(opened, at, end);
    if (dataAt > at) yield { offset: at, lengthBytes: dataAt - at, kind: 'hole' };
    if (dataAt >= end) return;
    at = kind === 'block' ? end : await nextHole(buffered.fd, dataAt, end);
    yield { offset: dataAt, lengthBytes: at - dataAt, kind: 'data' };
  }
}

const nextData = async ({ path, buffered }: OpenedFile, from: number, end: number): Promise<number> => {
  const sought = await libc?.seek(buffered.fd, from, 'data');
  if (sought?.found) return Math.min(end, sought.offset);
  if (sought?.errno !== ENXIO) return from;
  // the same answer comes from behind the end of a file that was cut off: what is missing there is no hole
  const { size } = await buffered.stat();
  if (size < end) throw new DataPathError('ShortRead', `${path} ends at ${size} now, it had ${end} bytes and more`);
  return end;
};

const nextHole = async (fd: number, from: number, end: number): Promise<number> => {
  const sought = await libc?.seek(fd, from, 'hole');
  return sought?.found && sought.offset > from ? Math.min(end, sought.offset) : end;
};
