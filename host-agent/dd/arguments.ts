/**
 * dd exactly as the reference runs it for a migration: whole virtual size, 1 MiB a block, one request at a time, O_DIRECT
 * where both ends take it, `sparse` where the destination reads as zeroes. `notrunc` besides: the object is there already,
 * and what it has beyond the volume's end must stay.
 */
export interface DdCopy {
  readonly source: string;
  readonly destination: string;
  readonly sizeBytes: number;
  /** Blocks of zeroes are skipped. */
  readonly sparse: boolean;
  /** Past the page cache. */
  readonly direct: { readonly input: boolean; readonly output: boolean };
}

const BLOCK_SIZE = '1M';

export const copyArguments = ({ source, destination, sizeBytes, sparse, direct }: DdCopy): string[] => [
  `if=${source}`,
  `of=${destination}`,
  `count=${sizeBytes}`,
  `bs=${BLOCK_SIZE}`,
  `iflag=count_bytes${direct.input ? ',direct' : ''}`,
  ...(direct.output ? ['oflag=direct'] : []),
  `conv=${sparse ? 'sparse,' : ''}notrunc`,
];

/** Opens both and copies nothing: fails where the file system has no direct I/O. */
export const probeArguments = (
  { source, destination }: Pick<DdCopy, 'source' | 'destination'>,
  flag: 'iflag=direct' | 'oflag=direct',
): string[] => ['count=0', `if=${source}`, `of=${destination}`, flag, 'conv=notrunc'];
