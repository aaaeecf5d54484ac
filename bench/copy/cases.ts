/** What is measured: contents x media, as data; and the memory of an agent. */
export type Content = 'dense' | 'sparse' | 'zeroes' | 'changed';

/** `tcp` and `tls`: from tmpfs through loopback to tmpfs, so that the way is measured and no disk. */
export type Medium = 'disk' | 'tmpfs' | 'tcp' | 'tls';

export interface CopyCase {
  readonly kind: 'copy';
  readonly name: string;
  readonly content: Content;
  readonly medium: Medium;
  /** The copy and the proof that it is right; without: the copy alone, flushed. */
  readonly verified: boolean;
  readonly sizeMib: number;
}

/** Peak memory of our two processes. */
export interface MemoryCase {
  readonly kind: 'memory';
  readonly name: string;
  readonly copies: number;
  /** As it is seen; the data in it are `sizeMib`. */
  readonly virtualMib: number;
  readonly sizeMib: number;
}

export type BenchCase = CopyCase | MemoryCase;

const DISK_MIB = 1024;
const MEMORY_MIB = 1024;
/** Larger: a process that begins for each run is to be a small share of it, as agents run for months. */
const NETWORK_MIB = 2048;
const TIB_MIB = 1024 * 1024;

const copies = (content: Content): CopyCase[] => [
  { kind: 'copy', name: `${content}-disk-copy`, content, medium: 'disk', verified: false, sizeMib: DISK_MIB },
  { kind: 'copy', name: `${content}-disk-verified`, content, medium: 'disk', verified: true, sizeMib: DISK_MIB },
  { kind: 'copy', name: `${content}-tmpfs-copy`, content, medium: 'tmpfs', verified: false, sizeMib: MEMORY_MIB },
  { kind: 'copy', name: `${content}-tcp-copy`, content, medium: 'tcp', verified: false, sizeMib: NETWORK_MIB },
  { kind: 'copy', name: `${content}-tls-copy`, content, medium: 'tls', verified: false, sizeMib: NETWORK_MIB },
];

export const CASES: readonly BenchCase[] = [
  ...copies('dense'),
  ...copies('sparse'),
  ...copies('zeroes'),
  { kind: 'copy', name: 'changed-disk-copy', content: 'changed', medium: 'disk', verified: false, sizeMib: DISK_MIB },
  { kind: 'memory', name: 'rss-4-copies', copies: 4, virtualMib: 1024, sizeMib: 1024 },
  { kind: 'memory', name: 'rss-64tib', copies: 1, virtualMib: 64 * TIB_MIB, sizeMib: 384 },
];

export const withSize = (one: BenchCase, sizeMib: number | undefined): BenchCase => {
  if (sizeMib === undefined) return one;
  if (one.kind === 'copy') return { ...one, sizeMib };
  return { ...one, sizeMib, virtualMib: one.virtualMib === one.sizeMib ? sizeMib : one.virtualMib };
};
