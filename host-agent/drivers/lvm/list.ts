import type { ListedObject, ListObjects, ObjectPage } from '../contract.ts';
import { isOurs } from './parts.ts';
import { liesIn, type OnlinePool, unfitness } from './pool.ts';
import type { LogicalVolume } from './report.ts';

const listed = (volume: LogicalVolume, online: OnlinePool, ours: boolean): ListedObject => {
  const { name, uuid, sizeBytes, madeAtMs } = volume;
  const unfit = ours ? undefined : unfitness(volume, online.group.volumes);
  // LVM keeps whole seconds, cut off
  const base = { objectName: name, objectId: uuid, sizeBytes, madeAtMs: madeAtMs === null ? null : madeAtMs + 999 };
  return unfit === undefined ? base : { ...base, unfit };
};

/** Volmove's volumes of a pool by their tag, or those of others. */
export const listVolumes = (online: OnlinePool, { what = 'ours', after, limit }: ListObjects): ObjectPage => {
  const ours = what === 'ours';
  const behind = online.group.volumes
    .filter((volume) => liesIn(online, volume) && isOurs(volume) === ours && (after === null || volume.name > after))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    objects: behind.slice(0, limit).map((volume) => listed(volume, online, ours)),
    more: behind.length > limit,
  };
};
