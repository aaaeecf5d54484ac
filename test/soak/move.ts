import { join } from 'node:path';
import { migrationJobId } from '../../domain/job/job.ts';
import { readDurable } from '../../local/durable-file.ts';
import type { Rig } from '../system/rig.ts';
import type { Role } from './blows.ts';
import { createIoCounters, type IoCounters } from './io-counters.ts';
import { type Moved, minus } from './layout.ts';

/** One migration that is under way: who plays which part in it, what it has moved, and where it would go on from. */
export interface Move {
  readonly id: string;
  readonly sizeBytes: number;
  readonly hosts: Readonly<Record<Role, string>>;
  readonly counters: Readonly<Record<Role, IoCounters>>;
  /** By all processes since it began. */
  moved(): Promise<Moved>;
  /** The checkpoint in the journal of the source's agent; all of the volume when the copy is over. */
  markBytes(lastMarkBytes: number): Promise<number>;
}

export interface Wanted {
  readonly volume: string;
  readonly sizeBytes: number;
  readonly from: string;
  readonly to: string;
  readonly bytesPerSecond: number;
}

const BEFORE_THE_END_OF_COPYING = ['requested', 'starting', 'validating', 'locking', 'preparing', 'copying'];

export const pastCopying = (phase: string): boolean => !BEFORE_THE_END_OF_COPYING.includes(phase);

export const beginMove = async (rig: Rig, wanted: Wanted): Promise<Move> => {
  const { volume, sizeBytes, from, to, bytesPerSecond } = wanted;
  const hosts = { source: from, destination: to, cloud: 'cloud' };
  const countersOf = (name: string): IoCounters => createIoCounters(() => rig.pids()[name]);
  const counters = { source: countersOf(from), destination: countersOf(to), cloud: countersOf('cloud') };
  const total = async (): Promise<Moved> => ({
    read: (await counters.source.now()).read,
    written: (await counters.destination.now()).written,
  });
  const before = await total();
  const id = await rig.migrate(volume, to, { lock: true, bandwidth_bytes_per_second: bytesPerSecond });
  const file = join(rig.dataDir(from), 'checkpoints', `${encodeURIComponent(migrationJobId(id, 1, 'data.copy'))}.json`);
  return {
    id,
    sizeBytes,
    hosts,
    counters,
    moved: async () => minus(await total(), before),
    async markBytes(lastMarkBytes) {
      const stored = (await readDurable(file)) as { checkpoint: { settledBytes: number } } | undefined;
      if (stored) return stored.checkpoint.settledBytes;
      // no checkpoint: there was none yet, or it was forgotten as the copy is over
      const over = lastMarkBytes > 0 || pastCopying((await rig.migration(id)).phase);
      return over ? sizeBytes : 0;
    },
  };
};
