import * as z from 'zod';

/** What `vgs --reportformat json` says of a group and of what is in it; every value is a string, empty where there is none. */

export const GROUP_FIELDS = ['vg_uuid', 'vg_size', 'vg_free', 'vg_extent_size', 'vg_attr'] as const;
const VOLUME_FIELDS = [
  'lv_uuid',
  'lv_name',
  'lv_size',
  'lv_tags',
  'lv_time',
  'pool_lv',
  'origin',
  'data_percent',
  'metadata_percent',
  'zero',
  'lv_check_needed',
  'lv_health_status',
  'lv_device_open',
  'lv_active',
  'thin_id',
  'chunk_size',
  'segtype',
] as const;
export const ALL_FIELDS = [...GROUP_FIELDS, ...VOLUME_FIELDS] as const;

/** Seconds since 1970, where LVM would print a date in the host's time zone. */
export const REPORT_CONFIG = 'report{time_format="%s"}';

export interface LogicalVolume {
  readonly uuid: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
  readonly madeAtMs: number | null;
  /** The thin pool that it lies in. */
  readonly thinPool: string | null;
  /** What it is a snapshot of. */
  readonly origin: string | null;
  /** Of a thin pool that is active. */
  readonly dataPercent: number | null;
  readonly metadataPercent: number | null;
  /** New blocks of the thin pool are zeroed. */
  readonly zeroing: boolean;
  readonly checkNeeded: boolean;
  /** Empty when it is well; `partial`, `failed`, `out_of_data`, `metadata_read_only`, ... */
  readonly health: string;
  readonly open: boolean;
  readonly active: boolean;
  readonly thinId: number | null;
  readonly chunkBytes: number;
  /** `linear`, `striped`, `thin`, `thin-pool`, `raid1`, ... */
  readonly segments: string;
}

export interface VolumeGroup {
  readonly uuid: string;
  readonly sizeBytes: number;
  readonly freeBytes: number;
  readonly extentBytes: number;
  /** A disk of it is missing. */
  readonly partial: boolean;
  readonly exported: boolean;
  readonly volumes: readonly LogicalVolume[];
}

const row = z.record(z.string(), z.string());
const report = z.object({ report: z.tuple([z.object({ vg: z.array(row) })]) });
type Row = z.infer<typeof row>;

const numberOf = (text: string | undefined): number | null => (text === undefined || text === '' ? null : Number(text));
const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);
const list = (text: string | undefined): string[] => (text ?? '').split(',').filter((one) => one !== '');

const volumeOf = (r: Row): LogicalVolume => {
  const seconds = numberOf(r.lv_time);
  return {
    uuid: r.lv_uuid ?? '',
    name: r.lv_name ?? '',
    sizeBytes: numberOf(r.lv_size) ?? 0,
    tags: list(r.lv_tags),
    madeAtMs: seconds === null ? null : seconds * 1000,
    thinPool: orNull(r.pool_lv),
    origin: orNull(r.origin),
    dataPercent: numberOf(r.data_percent),
    metadataPercent: numberOf(r.metadata_percent),
    zeroing: r.zero === 'zero',
    // "unknown" stands with everything that can need none
    checkNeeded: r.lv_check_needed === 'check needed',
    health: r.lv_health_status ?? '',
    open: r.lv_device_open === 'open',
    active: r.lv_active === 'active',
    thinId: numberOf(r.thin_id),
    chunkBytes: numberOf(r.chunk_size) ?? 0,
    segments: r.segtype ?? '',
  };
};

/** A volume has a row for each of its segments; what is asked of it here is the same in all of them. */
const volumesOf = (rows: readonly Row[]): LogicalVolume[] => {
  const byId = new Map<string, LogicalVolume>();
  for (const r of rows) if (r.lv_uuid && !byId.has(r.lv_uuid)) byId.set(r.lv_uuid, volumeOf(r));
  return [...byId.values()];
};

/** Undefined when no row came: LVM has none of a group without volumes where it is asked for volumes too. */
export const parseGroup = (json: string): VolumeGroup | undefined => {
  const rows = report.parse(JSON.parse(json)).report[0].vg;
  const [first] = rows;
  if (!first) return undefined;
  const attributes = first.vg_attr ?? '';
  return {
    uuid: first.vg_uuid ?? '',
    sizeBytes: numberOf(first.vg_size) ?? 0,
    freeBytes: numberOf(first.vg_free) ?? 0,
    extentBytes: numberOf(first.vg_extent_size) ?? 0,
    exported: attributes[2] === 'x',
    partial: attributes[3] === 'p',
    volumes: volumesOf(rows),
  };
};
