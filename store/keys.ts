import { OPEN_SHARDS } from './table.ts';

/** Partition and sort keys (design section 3). `HOST#id` holds the host and its jobs: an agent touches nothing else. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

export const JOB_PREFIX = 'JOB#';
export const TOKEN_PREFIX = 'TOKEN#';

export const volumeKey = (id: string): Key => ({ pk: `VOLUME#${id}`, sk: 'VOLUME' });
export const migrationKey = (id: string): Key => ({ pk: `MIGRATION#${id}`, sk: 'MIGRATION' });
export const poolKey = (id: string): Key => ({ pk: `POOL#${id}`, sk: 'POOL' });
/** In the partition of its pool: who has taken over the object of that name. */
export const adoptionKey = (poolId: string, objectName: string): Key => ({
  pk: `POOL#${poolId}`,
  sk: `ADOPTED#${objectName}`,
});
export const watchKey = (): Key => ({ pk: 'WATCH', sk: 'WATCH' });
export const hostPartition = (hostId: string): string => `HOST#${hostId}`;
export const hostKey = (hostId: string): Key => ({ pk: hostPartition(hostId), sk: 'HOST' });
export const jobKey = (hostId: string, jobId: string): Key => ({
  pk: hostPartition(hostId),
  sk: `${JOB_PREFIX}${jobId}`,
});
/** The task token beside its job: written by the control plane while the agent writes the job. */
export const tokenKey = (hostId: string, jobId: string): Key => ({
  pk: hostPartition(hostId),
  sk: `${TOKEN_PREFIX}${jobId}`,
});

/** The id within a partition key such as `VOLUME#id`. */
export const idOf = (pk: string): string => pk.slice(pk.indexOf('#') + 1);

export const openShards = (): string[] => Array.from({ length: OPEN_SHARDS }, (_, shard) => `OPEN#${shard}`);

export const openShardOf = (id: string): string => {
  let sum = 0;
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0;
  return `OPEN#${sum % OPEN_SHARDS}`;
};

/** Of an item that the sweeper has to look at. */
export const openKeysOf = (kind: string, id: string): { readonly open: string; readonly openSort: string } => ({
  open: openShardOf(id),
  openSort: `${kind}#${id}`,
});
