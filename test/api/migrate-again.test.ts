import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { refuseMigration } from '../../domain/migration/end.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import type { Outcome } from '../../domain/volume/volume.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { aMigration, aVolume, MIGRATION_ID, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { native, PREFIX, ready } from './migrate-helpers.ts';
import { createWorld, volumeNow, type World } from './world.ts';

describe('the last outcome', () => {
  const lastOutcome: Outcome = {
    migrationId: MIGRATION_ID,
    run: 1,
    atMs: 5,
    result: 'error',
    reason: volmoveError('AbortedByAttach', { request: 'os-reserve' }).toFailure(),
  };

  it('is written into its migration before the volume is claimed again', async () => {
    const world = await ready(createWorld(), { lastOutcome });
    await world.store.migrations.create(aMigration());

    const answer = await native(world);

    expect(answer.status).toBe(202);
    expect(await world.store.migrations.get(MIGRATION_ID)).toMatchObject({
      stage: { state: 'failed', reason: { code: 'AbortedByAttach' } },
    });
    expect((await volumeNow(world, aVolume())).claim?.migrationId).toBe(answer.body.migration.id);
  });

  it('is taken as settled when its migration is gone', async () => {
    const world = await ready(createWorld(), { lastOutcome });

    const answer = await native(world);

    expect(answer.status).toBe(202);
  });
});

describe('a request whose first try died', () => {
  const key = { 'idempotency-key': 'k' };

  /** The world after a first try that could not start its execution. */
  const halfDone = async (): Promise<World> => {
    const broken = { start: async () => Promise.reject(new Error('no network')), status: async () => undefined };
    const records = memoryRecords();
    const first = await ready(createWorld(records, { executions: broken }));
    const answer = await native(first, {}, key);
    expect(answer.status).toBe(500);
    expect(answer.body.computeFault).toEqual({
      code: 500,
      message: 'The server has either erred or is incapable of performing the requested operation.',
      error_code: 'Internal',
      remedy: 'Try again; the server’s log says more.',
    });
    expect(first.reported).toEqual([new Error('no network')]);
    return createWorld(records);
  };

  it('is carried on by its repeat', async () => {
    const world = await halfDone();

    const answer = await native(world, {}, key);

    expect(answer.status).toBe(202);
    expect(await world.store.migrations.all()).toHaveLength(1);
    expect(world.started).toMatchObject([{ name: `${answer.body.migration.id}-1` }]);
  });

  it('is not begun again when the guest has had the volume meanwhile', async () => {
    const world = await halfDone();
    await world.act(VOLUME_ID, { 'os-reserve': null });
    await world.act(VOLUME_ID, { 'os-unreserve': null });

    const answer = await native(world, {}, key);

    expect(answer.body.migration).toMatchObject({ state: 'failed', reason: { code: 'AbortedByAttach' } });
    expect((await volumeNow(world, aVolume())).claim).toBeNull();
    expect(world.started).toEqual([]);
  });

  it('is refused when the sweeper has refused it meanwhile', async () => {
    const world = await halfDone();
    const [migration] = await world.store.migrations.all();
    const reason = volmoveError('NeverClaimed', {}).toFailure();
    await world.store.migrations.apply([migration?.id ?? ''], refuseMigration(reason, 'sweeper', 0));

    const answer = await native(world, {}, key);

    expect(answer.status).toBe(409);
    expect(answer.body.conflictingRequest.message).toBe(PREFIX + reason.message);
  });

  it('is refused when the volume was moved between its look and its claim', async () => {
    const world = await ready();
    const create = world.store.migrations.create.bind(world.store.migrations);
    const moved = { ...SOURCE_OBJECT, objectName: 'volume-elsewhere' };
    Object.assign(world.store.migrations, {
      create: async (value: Migration) => {
        const applied = await create(value);
        await world.store.volumes.apply([VOLUME_ID], (volume) => ({
          kind: 'write',
          next: { ...volume, location: moved },
        }));
        return applied;
      },
    });

    const answer = await native(world);

    expect(answer.status).toBe(400);
    expect(answer.body.badRequest.message).toContain('(it has been moved meanwhile)');
    expect((await volumeNow(world, aVolume())).claim).toBeNull();
  });
});
