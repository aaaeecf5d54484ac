import { describe, expect, it } from 'vitest';
import type { Amendment } from '../../domain/amendment.ts';
import { already, type Decision, refuse, write } from '../../domain/decision.ts';
import { volmoveError } from '../../domain/error.ts';
import { giveBackCapacity, newPool, reportPool, reserveCapacity } from '../../domain/host/capacity.ts';
import type { Pool } from '../../domain/host/pool.ts';
import { jobKey } from '../../store/keys.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import type { Records } from '../../store/records.ts';
import { createStore } from '../../store/store.ts';
import { START_MS } from '../helpers/clock.ts';
import { freshDynamoRecords } from '../helpers/dynalite.ts';
import { aHost, aJob, aMigration, anObject, aRetained, aVolume, DESTINATION } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';

/** What every implementation of Records promises; run over memory and over the real engine. */

const IMPLEMENTATIONS: [name: string, make: () => Promise<Records>][] = [
  ['memory', async () => memoryRecords()],
  ['DynamoDB', freshDynamoRecords],
];

const oneMore = (pool: Pool): Decision<Pool> => write({ ...pool, reservedBytes: pool.reservedBytes + 1 });
const id = (n: number): string => `44444444-4444-4444-8444-${String(n).padStart(12, '0')}`;

describe.each(IMPLEMENTATIONS)('records in %s', (_name, make) => {
  const freshStore = async () => createStore(await make());

  it('give back what was created, and nothing where nothing was', async () => {
    const store = await freshStore();

    const created = await store.volumes.create(aVolume());
    const found = await store.volumes.get(aVolume().id);
    const other = await store.volumes.get(id(1));

    expect(created).toEqual({ value: aVolume(), wrote: true, rev: 1 });
    expect(found).toEqual(aVolume());
    expect(other).toBeUndefined();
  });

  it('answer a second create with what stands there', async () => {
    const store = await freshStore();
    await store.volumes.create(aVolume());

    const again = await store.volumes.create(aVolume({ name: 'other' }));

    expect(again).toEqual({ value: aVolume(), wrote: false, rev: 1 });
  });

  it('keep what a rule writes and raise the revision', async () => {
    const store = await freshStore();
    await store.pools.create(newPool('p', 100, 10));

    const applied = await store.pools.apply(['p'], oneMore);
    const found = await store.pools.get('p');

    expect(applied).toEqual({ value: { ...newPool('p', 100, 10), reservedBytes: 1 }, wrote: true, rev: 2 });
    expect(found?.reservedBytes).toBe(1);
  });

  it('write nothing when the rule says that its effect is there, and throw its refusal', async () => {
    const store = await freshStore();
    await store.pools.create(newPool('p', 100, 10));

    const there = await store.pools.apply(['p'], already);
    const refused = await refusalOf(
      store.pools.apply(['p'], () => refuse(volmoveError('InvalidRequest', { reason: 'no' }))),
    );
    const missing = await refusalOf(store.pools.apply(['q'], oneMore));

    expect(there).toMatchObject({ wrote: false, rev: 1 });
    expect(refused.code).toBe('InvalidRequest');
    expect(missing.code).toBe('PoolNotFound');
  });

  it('lose none of twenty concurrent writers’ changes', async () => {
    const store = await freshStore();
    await store.pools.create(newPool('p', 100, 10));

    await Promise.all(Array.from({ length: 20 }, () => store.pools.apply(['p'], oneMore)));
    const found = await store.pools.get('p');

    expect(found?.reservedBytes).toBe(20);
  });

  it('amend beside each other: nobody has to ask again, and none goes beyond the limit', async () => {
    const records = await make();
    let amendments = 0;
    let failed = 0;
    const amend: Records['amend'] = async (...asked) => {
      const done = await records.amend(...asked);
      if (done) amendments += 1;
      else failed += 1;
      return done;
    };
    const store = createStore({ ...records, amend });
    await store.pools.create(newPool('p', 100, 10));

    const asked = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => store.pools.apply(['p'], reserveCapacity(`m${n}`, 1, 'there'))),
    );
    const full = await store.pools.get('p');
    const failedAtTheLimit = failed;
    const given = Object.keys(full?.reservations ?? {});
    await Promise.all(given.map((key) => store.pools.apply(['p'], giveBackCapacity(key))));

    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(full).toMatchObject({ reservedBytes: 10, leftBytes: 0, freeBytes: 10 });
    expect(await store.pools.get('p')).toEqual(newPool('p', 100, 10));
    expect(failedAtTheLimit).toBeLessThanOrEqual(10);
    expect(failed).toBe(failedAtTheLimit);
    expect(amendments).toBe(20);
  });

  it('amend what was filled and grew, fields and all', async () => {
    const store = await freshStore();
    await store.pools.create(newPool('p', 100, 10));
    await store.pools.apply(['p'], reserveCapacity('m', 6, 'there'));
    await store.pools.apply(['p'], reportPool({ totalBytes: 100, freeBytes: 9, growing: { m: 5 } }, 1));

    await store.pools.apply(['p'], giveBackCapacity('m', 2));

    expect(await store.pools.get('p')).toEqual({ ...newPool('p', 100, 4, 2), growing: {} });
  });

  it('refuse an amendment that changes a field twice', async () => {
    const records = await make();
    const key = { pk: 'POOL#p', sk: 'POOL' };
    await records.put({ ...key, rev: 1, data: { in: { b: 2 } } }, 0);
    const twice = { when: [], set: [[['in', 'b'], 1]], remove: [['in']] } as const;

    await expect((async () => records.amend(key, twice, 'w'))()).rejects.toThrow('twice');
  });

  it('amend nothing when a condition fails, or where there is no item', async () => {
    const records = await make();
    const key = { pk: 'POOL#p', sk: 'POOL' };
    await records.put({ ...key, rev: 1, data: { a: 1, in: { b: 2 } } }, 0);
    const raise = { add: [[['a'], 1]], remove: [['in', 'b']] } as const;
    const amend = (when: Amendment['when'], of = key): Promise<boolean> => records.amend(of, { ...raise, when }, 'w');

    const refused = [
      await amend([{ path: ['a'], is: 2 }]),
      await amend([{ path: ['a'], atLeast: 2 }]),
      await amend([{ path: ['a'], atMost: 0 }]),
      await amend([{ path: ['in', 'b'], absent: true }]),
      await amend([{ path: ['none'], atLeast: 0 }]),
      await amend([], { pk: 'POOL#q', sk: 'POOL' }),
    ];
    const before = await records.get(key);
    const done = await amend([
      { path: ['a'], is: 1 },
      { path: ['in', 'b'], atMost: 2 },
      { path: ['in', 'c'], absent: true },
      { path: ['none', 'c'], absent: true },
    ]);

    expect(refused).toEqual([false, false, false, false, false, false]);
    expect(before).toEqual({ ...key, rev: 1, data: { a: 1, in: { b: 2 } } });
    expect(done).toBe(true);
    expect(await records.get(key)).toEqual({ ...key, rev: 2, writeId: 'w', data: { a: 2, in: {} } });
  });

  it('let exactly one of twenty concurrent creators win', async () => {
    const store = await freshStore();

    const created = await Promise.all(
      Array.from({ length: 20 }, (_, n) => store.volumes.create(aVolume({ name: String(n) }))),
    );
    const found = await store.volumes.get(aVolume().id);

    const winners = created.filter(({ wrote }) => wrote);
    expect(winners.map(({ value }) => value)).toEqual([found]);
    expect(created.every(({ value }) => value.name === found?.name)).toBe(true);
  });

  it('ask a rule again on what stands there when a remembered version is stale', async () => {
    const store = await freshStore();
    const seen = await store.pools.create(newPool('p', 100, 10));
    await store.pools.apply(['p'], oneMore);

    const applied = await store.pools.apply(['p'], oneMore, seen);
    const believed = await store.pools.apply(
      ['p'],
      (pool) =>
        pool.reservedBytes === 0 ? refuse(volmoveError('InvalidRequest', { reason: 'stale' })) : already(pool),
      seen,
    );

    expect(applied).toMatchObject({ value: { reservedBytes: 2 }, rev: 3 });
    expect(believed.value.reservedBytes).toBe(2);
  });

  it('remove an item only while the rule holds, and agree when it is gone', async () => {
    const store = await freshStore();
    await store.pools.create(newPool('p', 100, 10));

    const kept = await store.pools.remove(['p'], () => false);
    const gone = await store.pools.remove(['p'], () => true);
    const again = await store.pools.remove(['p'], () => true);
    const found = await store.pools.get('p');

    expect([kept, gone, again]).toEqual([false, true, true]);
    expect(found).toBeUndefined();
  });

  it('do not remove what somebody changed after it was read', async () => {
    const records = await make();
    const key = { pk: 'POOL#p', sk: 'POOL' };
    await records.put({ ...key, rev: 1, data: {} }, 0);
    await records.put({ ...key, rev: 2, data: {} }, 1);

    const removed = await records.remove(key, 1);
    const created = await records.put({ ...key, rev: 1, data: {} }, 0);
    const found = await records.get(key);

    expect([removed, created]).toEqual([false, false]);
    expect(found?.rev).toBe(2);
  });

  it('read many items at once, more than one request can carry, each once, without those that are gone', async () => {
    const records = await make();
    const store = createStore(records);
    await Promise.all(Array.from({ length: 130 }, (_, n) => store.pools.create(newPool(`p${n}`, 0, 0))));

    const found = await store.pools.getMany([
      ...Array.from({ length: 130 }, (_, n) => [`p${n}`] as [string]),
      ['p0'],
      ['gone'],
    ]);

    expect(new Set(found.map((pool) => pool.id)).size).toBe(130);
  });

  it('list a host’s jobs, and neither its tokens nor another host’s jobs', async () => {
    const store = await freshStore();
    await store.hosts.create(aHost('host-a'));
    await store.jobs.create(aJob({ id: 'b' }));
    await store.jobs.create(aJob({ id: 'a' }));
    await store.jobs.create(aJob({ id: 'c', hostId: 'host-ab' }));
    await store.tokens.create({
      hostId: 'host-a',
      jobId: 'a',
      token: 't',
      enteredAtMs: 0,
      retryCount: 0,
      acked: false,
    });

    const jobs = await store.jobs.ofHost('host-a');

    expect(jobs.map((job) => job.id)).toEqual(['a', 'b']);
    expect((await store.jobs.openOfHost('host-a')).map((job) => job.id).sort()).toEqual(['a', 'b']);
    expect(jobKey('host-a', 'a')).toEqual({ pk: 'HOST#host-a', sk: 'JOB#a' });
  });

  it('list a host’s jobs that have not ended, however many have', async () => {
    const store = await freshStore();
    const ended = { state: 'succeeded', endedAtMs: START_MS, result: { existed: true } } as const;
    for (let n = 0; n < 5; n++) await store.jobs.create(aJob({ id: `ended-${n}`, stage: ended }));
    await store.jobs.create(aJob({ id: 'queued' }));
    await store.jobs.create(aJob({ id: 'ends' }));
    await store.jobs.create(aJob({ id: 'elsewhere', hostId: 'host-ab' }));
    await store.jobs.apply(['host-a', 'ends'], (job) => ({ kind: 'write', next: { ...job, stage: ended } }));
    await store.jobs.apply(['host-a', 'queued'], (job) => ({ kind: 'write', next: { ...job, attempt: 1 } }));

    const open = await store.jobs.openOfHost('host-a');

    expect(open).toEqual([aJob({ id: 'queued', attempt: 1 })]);
  });

  it('list newest first, page by page, each volume once', async () => {
    const store = await freshStore();
    const created = Array.from({ length: 7 }, (_, n) => aVolume({ id: id(n), createdAtMs: START_MS + n }));
    for (const volume of created) await store.volumes.create(volume);
    await store.migrations.create(aMigration());

    const pages: string[][] = [];
    let after: string | undefined;
    do {
      const page = await store.volumes.list({ limit: 3, ...(after === undefined ? {} : { after }) });
      pages.push(page.values.map((volume) => volume.id));
      after = page.next;
    } while (after !== undefined);
    const all = await store.volumes.all();
    const oldest = await store.volumes.list({ limit: 2, oldestFirst: true });

    const newestFirst = created.map((volume) => volume.id).reverse();
    expect(pages.flat()).toEqual(newestFirst);
    expect(pages[0]).toHaveLength(3);
    expect(all.map((volume) => volume.id)).toEqual(newestFirst);
    expect(oldest.values.map((volume) => volume.id)).toEqual([id(0), id(1)]);
  });

  it('list in the same order when times are equal, and go on after an item that was removed meanwhile', async () => {
    const store = await freshStore();
    for (let n = 0; n < 5; n++) await store.volumes.create(aVolume({ id: id(n) }));
    const first = await store.volumes.list({ limit: 2, oldestFirst: true });
    await store.volumes.remove([id(1)], () => true);
    await store.volumes.remove([id(2)], () => true);

    const second = await store.volumes.list({ limit: 2, oldestFirst: true, after: first.next ?? '' });

    expect(first.values.map((volume) => volume.id)).toEqual([id(0), id(1)]);
    expect(second.values.map((volume) => volume.id)).toEqual([id(3), id(4)]);
  });

  it('name what is open until it is closed', async () => {
    const store = await freshStore();
    await store.volumes.create(aVolume());
    await store.volumes.create(aVolume({ id: id(1), status: 'creating' }));
    await store.volumes.create(aVolume({ id: id(2), status: 'deleting' }));
    await store.migrations.create(aMigration());
    await store.migrations.create(
      aMigration({
        id: id(3),
        endedTold: true,
        jobsEnded: true,
        stage: { state: 'succeeded', endedAtMs: START_MS },
      }),
    );

    const open = await store.open();
    await store.migrations.apply([aMigration().id], (migration) =>
      write({ ...migration, endedTold: true, jobsEnded: true, stage: { state: 'succeeded', endedAtMs: START_MS } }),
    );
    const later = await store.open();

    expect(open.volumes.toSorted()).toEqual([id(1), id(2)]);
    expect(open.migrations).toEqual([aMigration().id]);
    expect(later.migrations).toEqual([]);
  });

  it('keep a volume open while it keeps an object', async () => {
    const store = await freshStore();
    const kept = aRetained({ object: anObject('kept', DESTINATION), migrationId: id(9) });
    await store.volumes.create(aVolume({ retained: [kept] }));

    const open = await store.open();
    await store.volumes.apply([aVolume().id], (volume) => write({ ...volume, retained: [] }));
    const later = await store.open();

    expect(open.volumes).toEqual([aVolume().id]);
    expect(later.volumes).toEqual([]);
  });

  it('find the same open ids by a scan, and leave every item as it was', async () => {
    const store = await freshStore();
    await store.volumes.create(aVolume({ status: 'creating' }));
    await store.migrations.create(aMigration());
    await store.hosts.create(aHost('host-a'));
    await store.jobs.create(aJob());

    const repaired = await store.repair();
    const open = await store.open();

    expect(repaired).toEqual(open);
    expect(repaired).toEqual({ volumes: [aVolume().id], migrations: [aMigration().id] });
    expect(await store.volumes.get(aVolume().id)).toEqual(aVolume({ status: 'creating' }));
    expect(await store.jobs.get('host-a', aJob().id)).toEqual(aJob());
  });
});
