import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { ToolEnd } from '../../tools/run-tool.ts';
import type { Lvm } from './commands.ts';
import { lvmError } from './errors.ts';
import { dmName } from './names.ts';
import type { LvmPool } from './pool.ts';
import type { LogicalVolume } from './report.ts';

/** How full a thin pool is, from the kernel: exact, and cheaper to ask than LVM. */
export interface ThinSpace {
  readonly usedDataBlocks: number;
  readonly totalDataBlocks: number;
  readonly metadataPercent: number;
  /** `rw`, `ro`, `out_of_data_space`, or `Fail`. */
  readonly mode: string;
  readonly needsCheck: boolean;
  /** Somebody holds a snapshot of its metadata. */
  readonly heldRoot: string | null;
}

/** `0 614400 thin-pool 2 113/1024 160/4800 - rw no_discard_passdown queue_if_no_space - 256` (dm-thin, STATUS) */
export const parseThinPoolStatus = (line: string): ThinSpace | undefined => {
  const [, , target, transaction, metadata = '', data = '', root = '-', mode = '', ...rest] = line.trim().split(/\s+/);
  if (target !== 'thin-pool') return undefined;
  if (transaction === 'Fail' || transaction === 'Error')
    return {
      usedDataBlocks: 0,
      totalDataBlocks: 0,
      metadataPercent: 100,
      mode: 'Fail',
      needsCheck: true,
      heldRoot: null,
    };
  const [usedMetadata = 0, totalMetadata = 1] = metadata.split('/').map(Number);
  const [usedDataBlocks = 0, totalDataBlocks = 0] = data.split('/').map(Number);
  return {
    usedDataBlocks,
    totalDataBlocks,
    metadataPercent: (usedMetadata / totalMetadata) * 100,
    mode,
    needsCheck: rest.includes('needs_check'),
    heldRoot: root === '-' ? null : root,
  };
};

/** `0 1048576 thin 20480 34815`: sectors that are mapped, and the highest of them. */
export const parseThinStatus = (line: string): number | undefined => {
  const [, , target, mapped] = line.trim().split(/\s+/);
  const sectors = Number(mapped);
  return target === 'thin' && Number.isInteger(sectors) ? sectors * 512 : undefined;
};

const NO_SUCH_DEVICE = /No such device|does not exist|not found/i;

export const statusOf = async (lvm: Lvm, name: string, signal: AbortSignal): Promise<ToolEnd | undefined> => {
  const end = await lvm.run(['dmsetup', 'status', name], signal);
  if (end.exitCode === 0) return end;
  if (NO_SUCH_DEVICE.test(end.stderr)) return undefined;
  throw lvmError(end, { place: name, object: name });
};

/** The device that stands between a thin pool and its volumes. */
export const poolDevice = ({ vg }: LvmPool, thinPool: string): string => dmName(vg, thinPool, 'tpool');

/** Undefined when the pool is not active. */
export const thinSpace = async (lvm: Lvm, name: string, signal: AbortSignal): Promise<ThinSpace | undefined> => {
  const end = await statusOf(lvm, name, signal);
  return end && parseThinPoolStatus(end.stdout);
};

/**
 * A thin volume of which what is not mapped lies in another volume: `0 1048576 thin 253:2 1 253:7`, the last of which is that.
 * Undefined of one that is not active.
 */
export const parseExternalOrigin = (line: string): boolean | undefined => {
  const [, , target, , , origin] = line.trim().split(/\s+/);
  return target === 'thin' ? origin !== undefined : undefined;
};

/** What cannot be told may be. */
export const hasExternalOrigin = async (lvm: Lvm, name: string, signal: AbortSignal): Promise<boolean> => {
  const end = await lvm.run(['dmsetup', 'table', name], signal);
  return end.exitCode !== 0 || parseExternalOrigin(end.stdout) !== false;
};

type Limits = LvmPool['full_at_percent'];

/** Full, which room ends, or ill, which it does not. */
export interface PoolProblem {
  readonly kind: 'full' | 'ill';
  readonly why: string;
}

const full = (why: string): PoolProblem => ({ kind: 'full', why });
const ill = (why: string): PoolProblem => ({ kind: 'ill', why });
const OUT_OF_DATA = full('it is out of data space: extend it with lvextend');

/** With the remedy, where more room is none. */
export const problemOf = (vg: string, thinPool: string, { kind, why }: PoolProblem): string => {
  const name = `${vg}/${thinPool}`;
  const remedy = kind === 'ill' ? `: lvchange -an ${name}, then lvconvert --repair ${name}` : '';
  return `thin pool ${name}: ${why}${remedy}`;
};

/** Nothing is lost with a pool that is ill; it is offline until it is repaired. */
export const illPool = (pool: LvmPool, thinPool: string, problem: PoolProblem, cause?: unknown): VolmoveError =>
  volmoveError('BackendOffline', { place: pool.place, reason: problemOf(pool.vg, thinPool, problem) }, { cause });

const overLimits = (dataPercent: number, metadataPercent: number, limits: Limits): PoolProblem | undefined => {
  if (metadataPercent >= limits.metadata)
    return full(
      `its metadata is ${metadataPercent.toFixed(1)} % full (limit ${limits.metadata} %): extend it with lvextend --poolmetadatasize`,
    );
  if (dataPercent >= limits.data)
    return full(`it is ${dataPercent.toFixed(1)} % full (limit ${limits.data} %): extend it with lvextend`);
  return undefined;
};

/** Why nothing more may be written there that takes space; undefined when it may. */
export const spaceProblem = (space: ThinSpace, limits: Limits): PoolProblem | undefined => {
  if (space.mode === 'Fail') return ill('it has failed');
  if (space.needsCheck) return ill('its metadata needs a check');
  if (space.mode === 'out_of_data_space') return OUT_OF_DATA;
  if (space.mode !== 'rw') return ill('it is read-only, as when its metadata space ran out');
  return overLimits((space.usedDataBlocks / space.totalDataBlocks) * 100, space.metadataPercent, limits);
};

/** What makes a pool useless, and not merely full to its limits, in LVM's words. */
export const brokenPool = ({ checkNeeded, health }: LogicalVolume): PoolProblem | undefined => {
  if (checkNeeded) return ill('its metadata needs a check');
  switch (health) {
    case '':
      return undefined;
    case 'out_of_data':
      return OUT_OF_DATA;
    case 'metadata_read_only':
      return ill('it is out of metadata space, and read-only');
    default:
      return ill(`LVM calls it ${health}`);
  }
};

/** The same as of the kernel from LVM's report, which rounds. */
export const reportedProblem = (thinPool: LogicalVolume, limits: Limits): PoolProblem | undefined =>
  brokenPool(thinPool) ?? overLimits(thinPool.dataPercent ?? 0, thinPool.metadataPercent ?? 0, limits);
