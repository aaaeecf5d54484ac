import { DataPathError, ioError } from './errors.ts';

/** One system call: how many bytes it moved between `part` and the device at `position`. */
type Io = (position: number, part: Uint8Array) => Promise<number>;

export interface Transfer {
  /** In the words of a message: reading, writing, zeroing. */
  readonly doing: string;
  readonly path: string;
  readonly offset: number;
  readonly memory: Uint8Array;
}

/** Goes on after a short transfer; no progress at all is an error, never a silent gap. */
export const transfer = async ({ doing, path, offset, memory }: Transfer, io: Io): Promise<void> => {
  for (let done = 0; done < memory.length; ) {
    let moved: number;
    try {
      moved = await io(offset + done, done === 0 ? memory : memory.subarray(done));
    } catch (error) {
      throw ioError(error, `${doing} ${memory.length} bytes at ${offset} of ${path}`);
    }
    if (moved === 0) {
      throw new DataPathError(
        'ShortRead',
        `${doing} at ${offset + done} of ${path}: nothing came, ${memory.length - done} bytes are missing`,
      );
    }
    done += moved;
  }
};
