/**
 * The system calls that Node has no words for: lseek(2) with SEEK_DATA and SEEK_HOLE, fallocate(2), and the ioctls of block
 * devices. All on a thread of their own, because each may wait for a disk. Undefined where there is no Linux libc or koffi
 * cannot be loaded; then a device has one data extent and zeroes are written.
 */
export interface Libc {
  /** The next offset of data (or of a hole) at or after `offset`, or `none` with the errno that tells why. */
  seek(fd: number, offset: number, whence: 'data' | 'hole'): Promise<Sought>;
  /** False when the file system refuses. */
  fallocate(fd: number, mode: number, offset: number, lengthBytes: number): Promise<boolean>;
  /** BLKZEROOUT; false when the device refuses. Offset and length are multiples of 512. */
  zeroOut(fd: number, offset: number, lengthBytes: number): Promise<boolean>;
  /** BLKDISCARD; false when the device refuses. Offset and length are multiples of 512. */
  discard(fd: number, offset: number, lengthBytes: number): Promise<boolean>;
  /** Asks the kernel to forget the clean pages that it has of the file (posix_fadvise, POSIX_FADV_DONTNEED); it may keep some. */
  dropCache(fd: number): Promise<void>;
  /** BLKGETSIZE64; undefined when this is no block device. */
  blockDeviceSize(fd: number): Promise<number | undefined>;
}

export type Sought =
  | { readonly found: true; readonly offset: number }
  | { readonly found: false; readonly errno: number };

/** lseek: the offset is beyond the end, or there is only a hole up to it. */
export const ENXIO = 6;
// fallocate(2), linux/falloc.h
export const PUNCH_HOLE_KEEP_SIZE = 0x03;
export const ZERO_RANGE_KEEP_SIZE = 0x11;

// posix_fadvise(2)
const DONT_NEED = 4;
const WHENCE = { data: 3, hole: 4 } as const;
// linux/fs.h
const BLKDISCARD = 0x1277;
const BLKZEROOUT = 0x127f;
const BLKGETSIZE64 = 0x80081272;

interface Called {
  readonly result: number;
  readonly errno: number;
}

const load = async (): Promise<Libc | undefined> => {
  if (process.platform !== 'linux') return undefined;
  const koffi = await import('koffi').then(
    (module) => module.default,
    () => undefined,
  );
  if (!koffi) return undefined;
  const lib = koffi.load(null);
  const call = (prototype: string): ((...args: unknown[]) => Promise<Called>) => {
    const native = lib.func(prototype);
    return (...args) =>
      new Promise((resolve, reject) => {
        native.async(...args, (error: Error | null, result: number | bigint) => {
          // koffi keeps the errno of the thread that made this very call, and it is stale unless the call has failed
          if (error) reject(error);
          else resolve({ result: Number(result), errno: Number(result) === -1 ? koffi.errno() : 0 });
        });
      });
  };
  const lseek = call('int64 lseek(int fd, int64 offset, int whence)');
  const fadvise = call('int posix_fadvise(int fd, int64 offset, int64 length, int advice)');
  const fallocate = call('int fallocate(int fd, int mode, int64 offset, int64 length)');
  const ioctl = call('int ioctl(int fd, unsigned long request, uint64 *argument)');
  const onRange = async (fd: number, request: number, offset: number, lengthBytes: number): Promise<boolean> =>
    (await ioctl(fd, request, BigUint64Array.of(BigInt(offset), BigInt(lengthBytes)))).result === 0;
  return {
    async seek(fd, offset, whence) {
      const { result, errno } = await lseek(fd, offset, WHENCE[whence]);
      return result === -1 ? { found: false, errno } : { found: true, offset: result };
    },
    fallocate: async (fd, mode, offset, lengthBytes) => (await fallocate(fd, mode, offset, lengthBytes)).result === 0,
    zeroOut: (fd, offset, lengthBytes) => onRange(fd, BLKZEROOUT, offset, lengthBytes),
    discard: (fd, offset, lengthBytes) => onRange(fd, BLKDISCARD, offset, lengthBytes),
    async dropCache(fd) {
      await fadvise(fd, 0, 0, DONT_NEED);
    },
    async blockDeviceSize(fd) {
      const size = BigUint64Array.of(0n);
      return (await ioctl(fd, BLKGETSIZE64, size)).result === 0 ? Number(size[0]) : undefined;
    },
  };
};

export const libc = await load();
