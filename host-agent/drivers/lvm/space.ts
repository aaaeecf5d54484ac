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

type Limits = LvmPool['full_at_percent'];

const overLimits = (dataPercent: number, metadataPercent: number, limits: Limits): string | undefined => {
  if (metadataPercent >= limits.metadata)
    return `its metadata is ${metadataPercent.toFixed(1)} % full (limit ${limits.metadata} %): extend it with lvextend --poolmetadatasize`;
  if (dataPercent >= limits.data)
    return `it is ${dataPercent.toFixed(1)} % full (limit ${limits.data} %): extend it with lvextend`;
  return undefined;
};

/** Why nothing more may be written there that takes space; undefined when it may. */
export const fullness = (space: ThinSpace, limits: Limits): string | undefined => {
  if (space.mode === 'Fail') return 'it has failed: it needs lvconvert --repair';
  if (space.needsCheck) return 'its metadata needs a check: lvconvert --repair';
  if (space.mode === 'out_of_data_space') return 'it is out of data space: extend it with lvextend';
  if (space.mode !== 'rw')
    return 'it is read-only, as when its metadata space ran out: extend that with lvextend --poolmetadatasize';
  return overLimits((space.usedDataBlocks / space.totalDataBlocks) * 100, space.metadataPercent, limits);
};

/** The same from LVM's report, which rounds. */
export const reportedFullness = ({ dataPercent, metadataPercent }: LogicalVolume, limits: Limits): string | undefined =>
  overLimits(dataPercent ?? 0, metadataPercent ?? 0, limits);

/** What makes a pool useless, and not merely full, in LVM's words. */
export const poolIllness = (thinPool: LogicalVolume): string | undefined => {
  if (thinPool.checkNeeded) return 'its metadata needs a check: lvconvert --repair';
  switch (thinPool.health) {
    case '':
      return undefined;
    case 'out_of_data':
      return 'it is out of data space: extend it with lvextend';
    case 'metadata_read_only':
      return 'it is out of metadata space, and read-only: extend that with lvextend --poolmetadatasize, then lvconvert --repair';
    default:
      return `LVM calls it ${thinPool.health}`;
  }
};
