import type { BlockDevice, Extent } from '../../../../domain/block-device.ts';
import { DataPathError, throwIfAborted } from '../../../../host-agent/device/errors.ts';
import { CHUNK_BYTES } from '../../../../host-agent/digest/tree-hash.ts';
import { type BackendObject, NOTHING } from '../world.ts';
import type { Actors } from './actors.ts';

/**
 * An object as a device. Its first two chunks carry a number each, in their first bytes; everything else is a hole. So a
 * volume has its full size, a copy of it costs two chunks, and it can be torn between them.
 */
const HELD = [0, 1] as const;

const has = (offset: number, lengthBytes: number, chunk: number): boolean =>
  offset <= chunk * CHUNK_BYTES && offset + lengthBytes >= chunk * CHUNK_BYTES + 4;

const chunksOf = (offset: number, lengthBytes: number): string => {
  const first = Math.floor(offset / CHUNK_BYTES);
  const last = Math.floor((offset + lengthBytes - 1) / CHUNK_BYTES);
  return first === last ? `chunk ${first}` : `chunks ${first} to ${last}`;
};

export interface ObjectDeviceParts {
  readonly actors: Actors;
  /** Undefined when it is not there any more. */
  readonly object: () => BackendObject | undefined;
  readonly name: string;
  readonly sizeBytes: number;
  readonly onClose: () => void;
}

export const objectDevice = ({ actors, object, name, sizeBytes, onClose }: ObjectDeviceParts): BlockDevice => {
  const there = (): BackendObject => {
    const found = object();
    if (!found) throw new DataPathError('IoError', `${name} is not there any more`);
    return found;
  };
  /** A read-back and a repair are told apart from a copy. */
  const reading = (what: string): string => {
    const { kind } = actors.now();
    if (kind === 'data.verify' || kind === 'data.reverify') return `reads back ${what}`;
    return kind === 'data.repair' ? `reads ${what} again` : `reads ${what}`;
  };
  return {
    sizeBytes,
    blockSizeBytes: 4096,
    async read(offset, target, signal) {
      throwIfAborted(signal);
      await actors.turn(reading(`${chunksOf(offset, target.length)} of ${name}`), () => {
        const { content } = there();
        target.fill(0);
        const view = new DataView(target.buffer, target.byteOffset, target.length);
        for (const chunk of HELD)
          if (has(offset, target.length, chunk)) view.setInt32(chunk * CHUNK_BYTES - offset, content[chunk] + 1, true);
      });
    },
    async write(offset, source, signal) {
      throwIfAborted(signal);
      await actors.turn(`writes ${chunksOf(offset, source.length)} of ${name}`, () => {
        const written = there();
        const view = new DataView(source.buffer, source.byteOffset, source.length);
        for (const chunk of HELD)
          if (has(offset, source.length, chunk))
            written.content[chunk] = view.getInt32(chunk * CHUNK_BYTES - offset, true) - 1;
      });
    },
    async writeZeroes(offset, lengthBytes, signal) {
      throwIfAborted(signal);
      await actors.turn(`zeroes ${chunksOf(offset, lengthBytes)} of ${name}`, () => {
        const written = there();
        for (const chunk of HELD) if (has(offset, lengthBytes, chunk)) written.content[chunk] = NOTHING;
      });
    },
    flush: async () => undefined,
    async *extents(offset, lengthBytes): AsyncIterable<Extent> {
      const { content } = there();
      const end = offset + lengthBytes;
      let at = offset;
      for (const chunk of HELD) {
        const chunkEnd = Math.min(end, (chunk + 1) * CHUNK_BYTES);
        if (at >= chunkEnd) continue;
        yield { offset: at, lengthBytes: chunkEnd - at, kind: content[chunk] === NOTHING ? 'hole' : 'data' };
        at = chunkEnd;
      }
      if (at < end) yield { offset: at, lengthBytes: end - at, kind: 'hole' };
    },
    close: async () => onClose(),
  };
};
