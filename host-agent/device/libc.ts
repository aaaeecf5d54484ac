import koffi from 'koffi';

/**
 * The system calls that Node has no words for: lseek(2) with SEEK_DATA / SEEK_HOLE, and fallocate(2). Undefined where there
 * is no Linux libc; then a device has one data extent and zeroes are written.
 */
export interface Libc {
  /** The next offset of data (or of a hole) at or after `offset`; -1 when there is none. Throws nothing: errno tells. */
  seek(
    fd: number,
    offset: number,
    whence: 'data' | 'hole' | 'end',
  ): { readonly offset: number; readonly errno: number };
  fallocate(fd: number, mode: number, offset: number, lengthBytes: number): Promise<number>;
}

export const ENXIO = 6;
export const PUNCH_HOLE_KEEP_SIZE = 0x03;
export const ZERO_RANGE_KEEP_SIZE = 0x11;

const WHENCE = { data: 3, hole: 4, end: 2 } as const;

const load = (): Libc | undefined => {
  if (process.platform !== 'linux') return undefined;
  const lib = koffi.load(null);
  const lseek = lib.func('int64 lseek(int fd, int64 offset, int whence)');
  const fallocate = lib.func('int fallocate(int fd, int mode, int64 offset, int64 length)');
  return {
    seek(fd, offset, whence) {
      const found = Number(lseek(fd, offset, WHENCE[whence]));
      // koffi's errno is stale unless the call has just failed
      return { offset: found, errno: found === -1 ? koffi.errno() : 0 };
    },
    // a big punch may block for long: on koffi's own thread
    fallocate: (fd, mode, offset, lengthBytes) =>
      new Promise((resolve, reject) => {
        fallocate.async(fd, mode, offset, lengthBytes, (error: Error | null, result: number) =>
          error ? reject(error) : resolve(result),
        );
      }),
  };
};

export const libc = load();
