import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import process from 'node:process';
import { isInstalled, versionOf } from './installed.ts';

/** What the numbers were taken on. Without it they say nothing. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  /** The running processes of the last minute, in the mean: who else was there. */
  readonly load: number;
  readonly disk: Mount;
  /** Undefined: not installed. */
  readonly programs: ReadonlyMap<string, string | undefined>;
}

export interface Mount {
  readonly fileSystem: string;
  readonly options: string;
}

const PROGRAMS = ['dd', 'cp', 'cmp', 'qemu-img', 'nbdcopy', 'nbdkit', 'rsync'];
const GIB = 1024 ** 3;

/** Of the lines of /proc/self/mounts, the one that holds an absolute path: the longest, and of equals the last. */
export const mountOf = (mounts: string, path: string): Mount => {
  let found = { length: -1, fileSystem: '?', options: '' };
  for (const line of mounts.split('\n')) {
    const [, at, fileSystem = '?', options = ''] = line.split(' ');
    if (at === undefined || at.length < found.length) continue;
    if (at === '/' || path === at || path.startsWith(`${at}/`)) found = { length: at.length, fileSystem, options };
  }
  return { fileSystem: found.fileSystem, options: found.options };
};

export const describeMachine = (diskDirectory: string): Machine => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? '?',
  memoryGib: totalmem() / GIB,
  kernel: release(),
  node: process.versions.node,
  load: loadavg()[0] ?? 0,
  disk: mountOf(readFileSync('/proc/self/mounts', 'utf8'), diskDirectory),
  programs: new Map(PROGRAMS.map((name) => [name, isInstalled(name) ? versionOf(name) : undefined])),
});

/** Lines of at most 100 columns, as long as no name is very long. */
export const machineText = (machine: Machine): string[] => {
  const { cores, cpu, memoryGib, kernel, node, load, disk, programs } = machine;
  const versions = [...programs].filter(([, version]) => version !== undefined);
  const missing = [...programs].filter(([, version]) => version === undefined).map(([name]) => name);
  return [
    `${cores} cores (${cpu}), ${memoryGib.toFixed(1)} GiB, load ${load.toFixed(1)}`,
    `Linux ${kernel}, Node ${node}, disk: ${disk.fileSystem} (${disk.options})`,
    versions.map(([name, version]) => `${name} ${version}`).join(', '),
    ...(missing.length > 0 ? [`not installed: ${missing.join(', ')}`] : []),
  ];
};
