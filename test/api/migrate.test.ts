import { describe, expect, it } from 'vitest';
import { executionName } from '../../domain/names.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import { freshDynamoRecords } from '../helpers/dynalite.ts';
import { aVolume, DESTINATION, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { native, PREFIX, ready, STANDARD_REFUSAL, standard, TO_B } from './migrate-helpers.ts';
import { createWorld, volumeNow } from './world.ts';

describe.each([
  ['in memory', async () => memoryRecords()],
  ['on the real engine', freshDynamoRecords],
])('a request for a migration, %s', (_, records) => {
  it('by os-migrate_volume: writes it down, claims the volume, starts the execution, and says nothing', async () => {
    const world = await ready(createWorld(await records()));

    const answer = await standard(world, { lock_volume: 'True', force_host_copy: 'on' });

    expect(answer).toMatchObject({ status: 202, body: undefined });
    const [migration] = await world.store.migrations.all();
    expect(migration).toMatchObject({
      volumeId: VOLUME_ID,
      source: SOURCE_OBJECT,
      destination: DESTINATION,
      options: { lock: true, forceHostCopy: true, verify: 'full', sourceRetentionSeconds: 0 },
      requestedBy: 'root',
      requestHash: null,
      stage: { state: 'requested' },
    });
    expect(await volumeNow(world, aVolume())).toMatchObject({
      status: 'maintenance',
      migrationStatus: 'starting',
      claim: { migrationId: migration?.id, run: 1, destination: DESTINATION, lock: true },
    });
    expect(world.started).toEqual([
      {
        machine: 'migrate-volume',
        name: executionName(migration?.id ?? '', 1),
        input: { migrationId: migration?.id, run: 1 },
      },
    ]);
  });

  it('by POST /migrations: the same, and says so with the migration', async () => {
    const world = await ready(createWorld(await records()));

    const answer = await native(world, {
      verify: 'none',
      source_retention_seconds: 60,
      progress_interval_seconds: 0.5,
      bandwidth_bytes_per_second: 1024,
    });

    expect(answer.status).toBe(202);
    expect(answer.body.message).toBe(
      'Your migration request has been received. Please check migration status and the server log to see more information.',
    );
    const { migration } = answer.body;
    expect(migration).toMatchObject({
      volume_id: VOLUME_ID,
      volume_name: 'data',
      state: 'requested',
      phase: 'requested',
      source: 'host-a@files#ssd',
      destination: TO_B,
      locked: false,
      reason: null,
      cleanup: { state: 'none', left: [] },
      execution: `${migration.id}-1`,
    });
    expect((await volumeNow(world, aVolume())).claim?.options).toEqual({
      lock: false,
      forceHostCopy: false,
      verify: 'none',
      sourceRetentionSeconds: 86_400,
      progressIntervalSeconds: 0.5,
      bandwidthBytesPerSecond: 1024,
    });
  });

  it('is refused while another is active, and the refused one is kept with its reason', async () => {
    const world = await ready(createWorld(await records()));
    const first = await native(world);

    const second = await native(world);

    const why = `Invalid volume: Volume ${VOLUME_ID} ${STANDARD_REFUSAL} (migration ${first.body.migration.id} is active)`;
    expect(second.body).toEqual({
      badRequest: {
        code: 400,
        message: PREFIX + why,
        error_code: 'InvalidVolume',
        remedy: 'Look at the volume: volmove show VOLUME.',
      },
    });
    const { body } = await world.ask('GET', '/v3/migrations?state=refused');
    expect(body.migrations).toMatchObject([
      { state: 'refused', reason: { message: why }, progress: null, execution: null },
    ]);
    expect(world.started).toHaveLength(1);
  });

  it('with the same key again answers with the same migration and does nothing twice', async () => {
    const world = await ready(createWorld(await records()));

    const first = await native(world, {}, { 'idempotency-key': 'k' });
    const second = await native(world, {}, { 'idempotency-key': 'k' });

    expect(second.status).toBe(202);
    expect(second.body.migration.id).toBe(first.body.migration.id);
    expect(await world.store.migrations.all()).toHaveLength(1);
    expect(world.started).toHaveLength(1);
  });

  it('with the same key and another body is a mistake', async () => {
    const world = await ready(createWorld(await records()));

    await native(world, {}, { 'idempotency-key': 'k' });
    const second = await native(world, { lock: true }, { 'idempotency-key': 'k' });

    expect(second.status).toBe(422);
    expect(second.body.unprocessableEntity).toMatchObject({ error_code: 'IdempotencyMismatch' });
  });
});
