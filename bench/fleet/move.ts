import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isClosed, isEnded, type Migration } from '../../domain/migration/migration.ts';
import type { Ground } from './ground.ts';

/** Volumes on all hosts, and all of them moved at once. */

export const HOSTS = ['alpha', 'beta', 'gamma', 'delta'];
const MIB = 1024 * 1024;
const DATA_MIB = 4;
const REPORTS = 10;
const ASKED_AT_ONCE = 10;
const LOOK_EVERY_MS = 500;

const until = async (probe: () => Promise<boolean>): Promise<void> => {
  while (!(await probe())) await sleep(LOOK_EVERY_MS);
};

const makeVolume = async ({ post, store, directory }: Ground, host: string): Promise<string> => {
  const made = await post<{ volume: { id: string } }>('/volumes', {
    volume: { size: 1 },
    'OS-SCH-HNT:scheduler_hints': { volmove_pool: `${host}@files#main` },
  });
  const { id } = made.volume;
  await until(async () => (await store.volumes.get(id))?.location != null);
  const name = (await store.volumes.get(id))?.location?.objectName;
  const handle = await open(join(directory, host, 'pool', `${name}.img`), 'r+');
  try {
    for (let i = 0; i < DATA_MIB; i++) await handle.write(randomBytes(MIB), 0, MIB, i * 50 * MIB);
  } finally {
    await handle.close();
  }
  return id;
};

const hostOf = (nth: number): string => HOSTS[nth % HOSTS.length] ?? '';

const inBatches = async <T, R>(all: readonly T[], act: (one: T, nth: number) => Promise<R>): Promise<R[]> => {
  const done: R[] = [];
  while (done.length < all.length) {
    const first = done.length;
    const batch = all.slice(first, first + ASKED_AT_ONCE);
    done.push(...(await Promise.all(batch.map((one, i) => act(one, first + i)))));
  }
  return done;
};

/** Each on its host, with data far apart. */
export const makeVolumes = (ground: Ground, count: number): Promise<string[]> =>
  inBatches(
    Array.from({ length: count }, (_, nth) => nth),
    (nth) => makeVolume(ground, hostOf(nth)),
  );

export interface Moved {
  readonly all: readonly Migration[];
  readonly copyingAtOnce: number;
  readonly acceptedSeconds: number;
  readonly endedSeconds: number;
  readonly closedSeconds: number;
}

/** Every volume to the next host, so slowly that a copy lasts for ten reports. `accepted`: told as each is. */
export const moveAll = async (
  ground: Ground,
  volumes: readonly string[],
  intervalSeconds: number,
  accepted: (volumeId: string, migrationId: string) => void,
): Promise<Moved> => {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  await inBatches(volumes, async (id, nth) => {
    const migration = {
      volume_id: id,
      destination: `${hostOf(nth + 1)}@files#main`,
      progress_interval_seconds: intervalSeconds,
      bandwidth_bytes_per_second: Math.round((DATA_MIB * MIB) / (REPORTS * intervalSeconds)),
    };
    accepted(id, (await ground.post<{ migration: { id: string } }>('/migrations', { migration })).migration.id);
  });
  const acceptedSeconds = seconds();
  let copyingAtOnce = 0;
  let endedSeconds = 0;
  let all: Migration[] = [];
  await until(async () => {
    all = await ground.store.migrations.all();
    const copying = all.filter(({ stage }) => stage.state === 'running' && stage.phase === 'copying').length;
    copyingAtOnce = Math.max(copyingAtOnce, copying);
    if (endedSeconds === 0 && all.every(isEnded)) endedSeconds = seconds();
    return all.every(isClosed);
  });
  return { all, copyingAtOnce, acceptedSeconds, endedSeconds, closedSeconds: seconds() };
};
