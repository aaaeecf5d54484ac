import { isJobEnded, type Job } from '../domain/job/job.ts';
import { isClosed, type Migration } from '../domain/migration/migration.ts';
import type { Volume } from '../domain/volume/volume.ts';
import { idOf, JOB_PREFIX, openKeysOf, openShards } from './keys.ts';
import { volumeIsOpen } from './open.ts';
import type { Records, Stored } from './records.ts';

/**
 * Mends what a kill has left of the indexes of a database that writes rows and items one after the other: an item that no row
 * names is written again, and a row that names what is not open any more is taken away. Returns what is open.
 */

const isOpen = ({ kind, data }: Stored): boolean =>
  (kind === 'VOLUME' && volumeIsOpen(data as Volume)) || (kind === 'MIGRATION' && !isClosed(data as Migration));

const written = ({ open: _open, openSort: _openSort, ...item }: Stored, listed: boolean): Stored => ({
  ...item,
  ...(listed ? openKeysOf(item.kind ?? '', idOf(item.pk)) : {}),
  rev: item.rev + 1,
});

/** Listed as its row says and then as it is: the database takes the row away with the second write. */
const unlist = async (records: Records, named: Pick<Stored, 'pk' | 'sk'>): Promise<void> => {
  const item = await records.get(named);
  if (!item || isOpen(item)) return;
  const listed = written(item, true);
  if (await records.put(listed, item.rev)) await records.put(written(listed, false), listed.rev);
};

/** A row of a job that has ended is no harm: whoever lists the open ones reads them again. */
const listJob = async (records: Records, item: Stored): Promise<void> => {
  const job = item.data as Job;
  if (!isJobEnded(job)) await records.put({ ...item, openJob: job.id, rev: item.rev + 1 }, item.rev);
};

export const repairIndexes = async (records: Records): Promise<Stored[]> => {
  const open = new Map<string, Stored>();
  for await (const record of records.scan()) {
    if (record.sk.startsWith(JOB_PREFIX)) await listJob(records, record);
    if (record.kind === undefined) continue;
    await records.put(written(record, isOpen(record)), record.rev);
    if (isOpen(record)) open.set(record.pk, record);
  }
  const named = (await Promise.all(openShards().map((shard) => records.openKeys(shard)))).flat();
  for (const key of named) if (!open.has(key.pk)) await unlist(records, key);
  return [...open.values()];
};
