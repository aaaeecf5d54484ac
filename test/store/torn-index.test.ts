import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand } from '@aws-sdk/client-dynamodb';
import { expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../embedded/dynamo/open-store.ts';
import { dynamoRecords } from '../../store/dynamo-records.ts';
import { createStore } from '../../store/store.ts';
import { OPEN_INDEX, tableDefinition } from '../../store/table.ts';
import { createTable, sdkClient, startDynalite, TABLE } from '../helpers/dynalite.ts';
import { aJob, aMigration, aVolume } from '../helpers/factories.ts';

/** A kill of the embedded database between an index row and its item leaves an item that no index names. */

const directory = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'volmove-torn-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

/** Takes away what a kill may take: every row of both indexes (`index`), or every item (`item`). Gives their number. */
const tear = async (dir: string, what: 'index' | 'item'): Promise<number> => {
  const store = await openStore({ dir });
  const db = store.db as typeof store.db & { del(key: string): Promise<void> };
  let torn = 0;
  for await (const [key] of db.iterator({ gte: `${what}-`, lt: `${what}.` })) {
    await db.del(key);
    torn += 1;
  }
  await store.lifecycleManager.gracefulClose();
  return torn;
};

const aClosedMigration = aMigration({
  stage: { state: 'succeeded', endedAtMs: 1 },
  endedTold: true,
  jobsEnded: true,
  cleanupTold: { done: true, needsYou: false },
});

/** The rows of what is open, with `put` there again. */
const openRows = async (dir: string, put: readonly (readonly [string, unknown])[] = []) => {
  const store = await openStore({ dir });
  for (const [key, row] of put) await store.db.put(key, row as never);
  const rows: [string, unknown][] = [];
  for await (const [key, row] of store.db.iterator({ gte: 'index-', lt: 'index.' }))
    if (key.includes(`~${OPEN_INDEX}~`)) rows.push([key, row]);
  await store.lifecycleManager.gracefulClose();
  return rows;
};

it('an item that was made anew after its first rows is found once, where it is now', async () => {
  const dir = await directory();
  const before = await startDynalite({ dir });
  await createTable(before.url);
  const first = createStore(dynamoRecords(sdkClient(before.url), TABLE));
  await first.migrations.create(aMigration({ requestedAtMs: 1 }));
  await before.close();
  const torn = await tear(dir, 'item');
  const store = createStore(dynamoRecords(sdkClient((await startDynalite({ dir })).url), TABLE));
  const again = aMigration({ requestedAtMs: 2 });
  await store.migrations.create(again);

  const listed = await store.migrations.all();
  const open = await store.open();
  const read = await store.migrations.getMany([[again.id], [again.id]]);

  expect(torn).toBe(1);
  expect(listed).toEqual([again]);
  expect(open.migrations).toEqual([again.id]);
  expect(read).toEqual([again]);
});

it('a row that names what is closed is taken away by the repair', async () => {
  const dir = await directory();
  const before = await startDynalite({ dir });
  await createTable(before.url);
  await createStore(dynamoRecords(sdkClient(before.url), TABLE)).migrations.create(aMigration());
  await before.close();
  const rows = await openRows(dir);
  const after = await startDynalite({ dir });
  const closed = createStore(dynamoRecords(sdkClient(after.url), TABLE));
  await closed.migrations.apply([aMigration().id], () => ({ kind: 'write', next: aClosedMigration }));
  await after.close();
  await openRows(dir, rows);
  const store = createStore(dynamoRecords(sdkClient((await startDynalite({ dir })).url), TABLE));
  const torn = await store.open();

  const repaired = await store.repair();

  expect(torn.migrations).toEqual([aMigration().id]);
  expect(repaired.migrations).toEqual([]);
  expect((await store.open()).migrations).toEqual([]);
  expect(await store.migrations.all()).toEqual([aClosedMigration]);
});

it('items that no index names are found by the repair, and from then on by the indexes again', async () => {
  const dir = await directory();
  const before = await startDynalite({ dir });
  await createTable(before.url);
  const first = createStore(dynamoRecords(sdkClient(before.url), TABLE));
  await first.volumes.create(aVolume({ status: 'creating' }));
  await first.migrations.create(aMigration());
  await first.jobs.create(aJob());
  await before.close();
  const torn = await tear(dir, 'index');
  const store = createStore(dynamoRecords(sdkClient((await startDynalite({ dir })).url), TABLE));
  const blind = await store.open();
  const blindJobs = await store.jobs.openOfHost(aJob().hostId);

  const repaired = await store.repair();
  const open = await store.open();
  const listed = await store.volumes.all();

  expect(torn).toBe(5);
  expect(blindJobs).toEqual([]);
  expect(await store.jobs.openOfHost(aJob().hostId)).toEqual([aJob()]);
  expect(blind).toEqual({ volumes: [], migrations: [] });
  expect(repaired).toEqual({ volumes: [aVolume().id], migrations: [aMigration().id] });
  expect(open).toEqual(repaired);
  expect(listed.map((volume) => volume.id)).toEqual([aVolume().id]);
});

it('a table of an earlier version gets the index of open jobs when it is opened, and the repair fills it', async () => {
  const dir = await directory();
  const before = await startDynalite({ dir });
  const { LocalSecondaryIndexes: _, AttributeDefinitions = [], ...definition } = tableDefinition(TABLE);
  const attributes = AttributeDefinitions.filter(({ AttributeName }) => AttributeName !== 'openJob');
  await sdkClient(before.url).send(new CreateTableCommand({ ...definition, AttributeDefinitions: attributes }));
  await createStore(dynamoRecords(sdkClient(before.url), TABLE)).jobs.create(aJob());
  await before.close();
  const store = createStore(dynamoRecords(sdkClient((await startDynalite({ dir })).url), TABLE));

  await store.repair();

  expect(await store.jobs.openOfHost(aJob().hostId)).toEqual([aJob()]);
});
