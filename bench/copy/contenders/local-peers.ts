import type { Content } from '../cases.ts';
import { type Contender, DROP_CACHES, type Place, runs } from './contender.ts';

/**
 * Tools that copy one local file to another, with the flags that were found to be their fastest. Each ends with the destination
 * on stable storage: by its own flag, or by sync(1), which is fsync when it is given a file.
 */
const file = (name: string, needs: readonly string[], steps: Contender['steps']): Contender => ({
  name,
  side: 'peer',
  needs,
  needsDestination: false,
  steps,
});

const dd = (blockSize: string, content: Content): Contender => {
  const conv = content === 'dense' ? 'fsync' : content === 'changed' ? 'fsync,notrunc' : 'fsync,sparse';
  return file(`dd bs=${blockSize} direct`, ['dd'], ({ source, destination }) => [
    runs(
      'dd',
      `if=${source}`,
      `of=${destination}`,
      `bs=${blockSize}`,
      'iflag=direct',
      'oflag=direct',
      `conv=${conv}`,
      'status=none',
    ),
  ]);
};

/** Zeroes that are allocated are found by `always` only. */
const cp = (content: Content): Contender => {
  const sparse = content === 'zeroes' ? 'always' : 'auto';
  return file(`cp --sparse=${sparse}`, ['cp', 'sync'], ({ source, destination, reflinks }) => [
    // shared blocks are no copy, and there are none between two pools; but `never` also costs it copy_file_range
    runs('cp', `--reflink=${reflinks ? 'never' : 'auto'}`, `--sparse=${sparse}`, source, destination),
    runs('sync', destination),
  ]);
};

/** Its own default cache mode never flushes; both of these do when the file is closed. */
const qemuImg = (cache: 'none' | 'writeback'): Contender =>
  file(`qemu-img -m8 -W ${cache}`, ['qemu-img'], ({ source, destination }) => [
    runs(
      'qemu-img',
      'convert',
      '-f',
      'raw',
      '-O',
      'raw',
      '-m',
      '8',
      '-W',
      '-t',
      cache,
      '-T',
      cache,
      source,
      destination,
    ),
  ]);

/** 256 KiB is its own choice; larger ones are faster on some disks. */
const nbdcopyFiles = (requestKib: 256 | 4096): Contender =>
  file(`nbdcopy ${requestKib}K`, ['nbdcopy'], ({ source, destination }) => [
    runs('nbdcopy', '--flush', '--destination-is-zero', `--request-size=${requestKib * 1024}`, source, destination),
  ]);

const served = (path: string): string[] => ['[', 'nbdkit', '--exit-with-parent', 'file', path, ']'];

const nbdcopyServers: Contender = {
  ...file('nbdcopy nbdkit', ['nbdcopy', 'nbdkit'], ({ source, destination }) => [
    runs(
      'nbdcopy',
      '--flush',
      '--destination-is-zero',
      '--connections=4',
      '--',
      ...served(source),
      ...served(destination),
    ),
  ]),
  needsDestination: true,
};

const rsync: Contender = file('rsync --inplace', ['rsync', 'sync'], ({ source, destination }) => [
  runs('rsync', '--inplace', '--no-whole-file', '--ignore-times', source, destination),
  runs('sync', destination),
]);

export const localPeers = (content: Content): Contender[] => {
  if (content === 'changed') return [rsync, dd('4M', content)];
  const both = [dd('4M', content), dd('1M', content), cp(content), qemuImg('none'), qemuImg('writeback')];
  return [...both, nbdcopyFiles(256), nbdcopyFiles(4096), nbdcopyServers];
};

const proved = (copier: Contender, compare: (place: Place) => readonly [string, ...string[]]): Contender => ({
  ...copier,
  steps: (place) => [...copier.steps(place), DROP_CACHES, runs(...compare(place))],
});

const byCmp = (copier: Contender): Contender => ({
  ...proved(copier, ({ source, destination }) => ['cmp', source, destination]),
  name: `${copier.name} + cmp`,
  needs: [...copier.needs, 'cmp'],
});

const byQemuImg = (cache: 'none' | 'writeback'): Contender => ({
  ...proved(qemuImg(cache), ({ source, destination }) => [
    ...(['qemu-img', 'compare', '-f', 'raw', '-F', 'raw', '-T', cache] as const),
    source,
    destination,
  ]),
  name: `${qemuImg(cache).name} + compare`,
});

/** The same copies, and then both files read again and compared. */
export const verifyingPeers = (content: Content): Contender[] => [
  byCmp(dd('4M', content)),
  byCmp(cp(content)),
  byQemuImg('none'),
  byQemuImg('writeback'),
  byCmp(nbdcopyFiles(4096)),
];
