import type { Rig } from './rig.ts';

export interface Moving {
  readonly id: string;
  readonly migration: string;
  /** The digest of the volume's content, which the lock keeps as it is. */
  readonly before: string;
}

/** A locked volume of 48 MiB that is copied from alpha to beta, slowly enough to be struck in the middle. */
export const inMidCopy = async (rig: Rig, bandwidthBytesPerSecond: number): Promise<Moving> => {
  const id = await rig.create('alpha');
  await rig.fill(id, 48);
  const before = await rig.content(id);
  const migration = await rig.migrate(id, 'beta', { lock: true, bandwidth_bytes_per_second: bandwidthBytesPerSecond });
  await rig.inPhase(migration, 'copying');
  return { id, migration, before };
};
