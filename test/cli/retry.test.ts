import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Migration } from '../../cli/api/types.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { aFailure, aMigration, aSuccess, aVolume, migrationId } from './builders.ts';
import { createWorld, type World } from './world.ts';

const ID = migrationId(1);
const KEPT = { role: 'destination', object: 'volume-1', host: 'store-b@files#p1', until: '2026-01-02T00:00:00.000Z' };

describe('volmove retry', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    world.service.volumes.push(aVolume());
    failedWith({});
  });
  afterEach(() => world.close());

  const failedWith = (change: Partial<Migration>): void => {
    world.service.migrations.length = 0;
    world.service.migrations.push(aFailure(change));
    world.service.intercept = ({ method }) =>
      method === 'POST' ? { status: 202, body: { migration: aMigration({ run: 2 }) } } : undefined;
  };

  it('begins a migration again, and says that it begins from the beginning', async () => {
    const result = await world.run(['retry', ID.slice(0, 8)]);

    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(world.posted()).toMatchObject({ path: `/v3/migrations/${ID}/action`, body: { retry: {} } });
    expect(result.stderr).toContain('from the beginning (run 2)');
    expect(result.stderr).toContain(`Watch it: volmove watch ${ID}`);
  });

  it('says when it goes on with what was copied before', async () => {
    failedWith({ kept: [KEPT as never] });

    expect((await world.run(['retry', ID])).stderr).toContain('with what was copied before (run 2)');
  });

  it('says of a run that is under way that it is, not how it has begun', async () => {
    failedWith({ state: 'running', ended_at: null, run: 2 });

    expect((await world.run(['retry', ID])).stderr).toContain('asked for before and under way (run 2)');
  });

  it('waits until it has ended, and ends as it did', async () => {
    world.onSleep = () => {
      world.service.migrations[0] = aSuccess({ run: 2 });
    };
    world.service.intercept = ({ method }) => {
      if (method !== 'POST') return undefined;
      world.service.migrations[0] = aMigration({ run: 2 });
      return { status: 202, body: { migration: aMigration({ run: 2 }) } };
    };

    const result = await world.run(['retry', ID, '--wait', '--json']);

    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stdout).migration).toMatchObject({ state: 'succeeded', run: 2 });
  });

  it('tells a refusal with its reason', async () => {
    const fault = { code: 409, message: 'cannot be retried', error_code: 'CannotRetry', remedy: 'Look at it.' };
    world.service.intercept = ({ method }) =>
      method === 'POST' ? { status: 409, body: { conflictingRequest: fault } } : undefined;

    const result = await world.run(['retry', ID]);

    expect(result.exitCode).toBe(EXIT.conflict);
    expect(result.stderr).toContain('Look at it.');
    expect(result.stderr).toContain('cannot be retried');
  });

  it('is what migrate --keep-destination keeps something for', async () => {
    await world.run(['migrate', 'data1', '--to', 'store-b@files#p1', '--keep-destination', '3600']);

    expect(world.posted()?.body).toMatchObject({ migration: { destination_retention_seconds: 3600 } });
  });
});
