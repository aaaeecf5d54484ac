import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import type { Retained } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aMigration, anObject, DESTINATION, MIGRATION_ID, OPTIONS } from '../helpers/factories.ts';
import { type Answer, createWorld, MEMBER, volumeNow, type World, withHosts, withVolume } from './world.ts';

/** `POST /migrations/{id}/action {"retry": {}}`, and the option that makes it worth more. */

const reason = volmoveError('NoSpace', { reason: 'full' }).toFailure();
const FAILED: Partial<Migration> = {
  stage: { state: 'failed', endedAtMs: START_MS, reason },
  options: { ...OPTIONS, destinationRetentionSeconds: 60 },
  endedTold: true,
  jobsEnded: true,
};
const KEPT: Retained = {
  object: anObject('kept', DESTINATION),
  kind: 'destination',
  migrationId: MIGRATION_ID,
  run: 1,
  writeEpoch: 0,
  expiresAtMs: START_MS + 60_000,
};
const lastOutcome = { migrationId: MIGRATION_ID, run: 1, atMs: START_MS, result: 'error', reason } as const;

const failedMigration = async (change: Partial<Migration> = {}): Promise<World> => {
  const world = createWorld();
  await withHosts(world);
  await withVolume(world, { lastOutcome, retained: [KEPT] });
  await world.store.migrations.create(aMigration({ ...FAILED, ...change }));
  return world;
};

const retry = (world: World, token?: string): Promise<Answer> =>
  world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, { body: { retry: {} }, ...(token ? { token } : {}) });

describe('retry', () => {
  it('begins the next run: accepted, claimed with what was kept, started', async () => {
    const world = await failedMigration();

    const answer = await retry(world);

    expect(answer.status).toBe(202);
    expect(answer.body.migration).toMatchObject({ state: 'requested', run: 2, reason: null, ended_at: null });
    expect(await volumeNow(world, { id: aMigration().volumeId })).toMatchObject({
      retained: [],
      claim: { run: 2, carriesOn: { object: KEPT.object } },
    });
    expect(world.started).toEqual([
      {
        machine: 'migrate-volume',
        name: `${MIGRATION_ID}-2`,
        input: { migrationId: MIGRATION_ID, run: 2 },
      },
    ]);
  });

  it('asked for again while that run is under way is answered with it', async () => {
    const world = await failedMigration();
    await retry(world);

    const again = await retry(world);

    expect(again).toMatchObject({ status: 202, body: { migration: { run: 2 } } });
    expect(world.started).toHaveLength(1);
  });

  it('is refused by name when there is nothing to retry', async () => {
    const world = await failedMigration({ stage: { state: 'succeeded', endedAtMs: START_MS } });

    const answer = await retry(world);

    expect(answer.status).toBe(409);
    expect(JSON.stringify(answer.body)).toContain(`Migration ${MIGRATION_ID} cannot be retried: it has succeeded.`);
  });

  it('is an administrator’s', async () => {
    expect((await retry(await failedMigration(), MEMBER)).status).toBe(403);
  });

  it('takes no argument', async () => {
    const world = await failedMigration();
    const body = { retry: { from: 'scratch' } };

    expect((await world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, { body })).status).toBe(400);
  });
});

describe('destination_retention_seconds', () => {
  const ask = async (asked: object): Promise<{ world: World; answer: Answer }> => {
    const world = createWorld();
    await withHosts(world);
    const { id } = await withVolume(world);
    const migration = { volume_id: id, destination: 'host-b@files#ssd', ...asked };
    return { world, answer: await world.ask('POST', '/v3/migrations', { body: { migration } }) };
  };

  it.each([
    [60, 60],
    [0, 0],
    [null, 0],
    [undefined, 0],
  ])('%s is taken and shown as %s', async (asked, shown) => {
    const { answer } = await ask(asked === undefined ? {} : { destination_retention_seconds: asked });

    expect(answer.status).toBe(202);
    expect(answer.body.migration.destination_retention_seconds).toBe(shown);
  });

  it.each([-1, 1.5, 400 * 86_400, 'a day'])('%s is refused', async (asked) => {
    expect((await ask({ destination_retention_seconds: asked })).answer.status).toBe(400);
  });

  it('is refused together with dd, which always begins anew', async () => {
    const { answer } = await ask({
      destination: 'host-a@files#hdd',
      copy_engine: 'dd',
      destination_retention_seconds: 60,
    });

    expect(JSON.stringify(answer.body)).toContain('dd always begins anew');
  });
});
