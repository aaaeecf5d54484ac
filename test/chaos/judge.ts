import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { isClosed, isEnded, type Migration, phaseName } from '../../domain/migration/migration.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import { MACHINES, machineArn } from '../../embedded/environment.ts';
import type { Store } from '../../store/store.ts';
import { differingBlocks } from './content.ts';
import { type Field, know, POOLS } from './field.ts';

/** What must be true of a cloud at rest, read from its table, its executions and its pools' directories. */
export interface Court extends Field {
  readonly hosts: readonly string[];
  readonly store: Store;
  readonly states: SFNClient;
}

const openMigration = (migration: Migration): string[] => {
  if (isClosed(migration)) return [];
  const left = migration.cleanup
    .filter((entry) => entry.state === 'todo')
    .map((entry) => `${entry.objectName}, ${entry.tries} tries, ${entry.lastFailure?.message ?? 'none failed'}`);
  const what = isEnded(migration)
    ? `told ${migration.endedTold}, jobs ended ${migration.jobsEnded}, left: ${left.join('; ')}`
    : phaseName(migration);
  return [`migration ${migration.id} is ${migration.stage.state}: ${what}`];
};

const openVolume = (volume: Volume): string[] => {
  const { id, status, claim, connections, retained, cleanup } = volume;
  const settled = status === 'available' || (status === 'error' && volume.location === null);
  return [
    ...(settled ? [] : [`volume ${id} is ${status}`]),
    ...(claim ? [`volume ${id} is claimed by ${claim.migrationId}-${claim.run}`] : []),
    ...(connections.length > 0 ? [`volume ${id} has a connection`] : []),
    ...retained.map((kept) => `volume ${id} keeps ${kept.object.objectName}`),
    ...cleanup
      .filter((entry) => entry.state === 'todo')
      .map((entry) => `volume ${id} has to remove ${entry.objectName}`),
  ];
};

/** Every `volume-*` file of every pool, as `host/pool/file`, against those that volumes live on. */
const strayObjects = async ({ rig, hosts }: Court, volumes: readonly Volume[]): Promise<string[]> => {
  const wanted = new Set(
    volumes.flatMap(({ location }) =>
      location ? [`${location.hostId}/${location.pool}/${location.objectName}.img`] : [],
    ),
  );
  const found = new Set<string>();
  for (const host of hosts)
    for (const pool of POOLS)
      for (const file of await readdir(rig.pool(host, pool)))
        if (file.startsWith('volume-')) found.add(`${host}/${pool}/${file}`);
  return [
    ...[...found].filter((file) => !wanted.has(file)).map((file) => `${file} is nobody's`),
    ...[...wanted].filter((file) => !found.has(file)).map((file) => `${file} is gone, a volume lives on it`),
  ];
};

const openWork = async ({ rig, hosts, store, states }: Court): Promise<string[]> => {
  const jobs = (await Promise.all(hosts.map((host) => store.jobs.openOfHost(host)))).flat();
  const pools = await store.pools.all();
  const running = await Promise.all(
    MACHINES.map((name) =>
      states.send(new ListExecutionsCommand({ stateMachineArn: machineArn(name), statusFilter: 'RUNNING' })),
    ),
  );
  const checkpoints = await Promise.all(
    hosts.map(async (host) =>
      (await readdir(join(rig.dataDir(host), 'checkpoints'))).map((file) => `checkpoint ${file} is left on ${host}`),
    ),
  );
  return [
    ...jobs.map((job) => `job ${job.id} on ${job.hostId} is ${job.stage.state}`),
    ...pools
      .filter((pool) => pool.reservedBytes !== 0 || Object.keys(pool.reservations).length > 0)
      .map((pool) => `pool ${pool.id} has ${pool.reservedBytes} bytes reserved`),
    ...running.flatMap(({ executions = [] }) => executions.map(({ name }) => `execution ${name} is running`)),
    ...checkpoints.flat(),
  ];
};

const isRunning = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** More than two rounds have. */
export const NEWEST = 60;

/**
 * What is unfinished or left over; nothing when the cloud is at rest. Of migrations the newest alone are read, unless all are asked
 * for: reading hundreds every two seconds would be more work than what is judged.
 */
export const unrest = async (court: Court, all = false): Promise<string[]> => {
  const died = Object.entries(court.rig.pids()).filter(([, pid]) => !isRunning(pid));
  if (died.length > 0) return died.map(([part]) => `${part} has ended by itself`);
  const { migrations: listed, volumes: kept } = court.store;
  const [migrations, volumes] = await Promise.all([
    all ? listed.all() : listed.list({ limit: NEWEST }).then(({ values }) => values),
    kept.all(),
  ]);
  return [
    ...migrations.flatMap(openMigration),
    ...volumes.flatMap(openVolume),
    ...(await openWork(court)),
    ...(await strayObjects(court, volumes)),
  ];
};

const misfit = async (court: Court, volume: Volume): Promise<string[]> => {
  const known = court.volumes.get(volume.id);
  if (!known || !volume.location) return [];
  if (known.deleted === 'accepted') return [`volume ${volume.id} is there, its delete was accepted`];
  const { hostId, pool, objectName } = volume.location;
  const blocks = await differingBlocks(
    join(court.rig.pool(hostId, pool), `${objectName}.img`),
    volume.id,
    known.content,
  );
  if (blocks.length === 0) return [];
  const some = blocks.slice(0, 10).join(', ');
  return [`volume ${volume.id} at ${hostId}#${pool} differs in ${blocks.length} blocks of 64 KiB: ${some}`];
};

/** Of a cloud at rest: what is there, and what it holds. Brings the known volumes up to date. */
export const judge = async (court: Court): Promise<string[]> => {
  const volumes = await court.store.volumes.all();
  const there = new Set(volumes.map(({ id }) => id));
  const wrong: string[] = [];
  for (const known of [...court.volumes.values()]) {
    if (there.has(known.id)) continue;
    if (known.deleted === null) wrong.push(`volume ${known.id} is gone, nobody deleted it`);
    court.volumes.delete(known.id);
  }
  for (const volume of volumes) {
    // its create was not answered
    if (!court.volumes.has(volume.id)) know(court.volumes, volume.id);
    wrong.push(...(await misfit(court, volume)));
  }
  return wrong;
};
