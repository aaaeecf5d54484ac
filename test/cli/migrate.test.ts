import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aFailure, aSuccess, migrationId, volumeId } from './builders.ts';
import { createWorldOfOne, type World } from './world.ts';

const ID = migrationId(1);
const TO = ['--to', 'store-b@files#p1'];

describe('volmove migrate', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorldOfOne();
  });
  afterEach(() => world.close());

  it('prints the id alone, and what was accepted beside it', async () => {
    const result = await world.run(['migrate', 'data1', ...TO]);

    expect(result).toMatchObject({ exitCode: 0, stdout: `${ID}\n` });
    expect(result.stderr).toContain('Accepted: data1 goes from store-a@files#p1 to store-b@files#p1.');
    expect(result.stderr).toContain(`Watch it: volmove watch ${ID}`);
    expect(world.posted()?.body).toEqual({
      migration: {
        volume_id: volumeId(1),
        destination: 'store-b@files#p1',
        lock: false,
        verify: 'full',
        dry_run: false,
      },
    });
  });

  it('asks for what its options say', async () => {
    const options = [
      '--force',
      '--no-verify',
      '--keep-source',
      '3600',
      '--bandwidth',
      '1.5',
      '--idempotency-key',
      'k1',
    ];

    await world.run(['migrate', volumeId(1), ...TO, ...options]);

    expect(world.posted()?.headers['idempotency-key']).toBe('k1');
    expect(world.posted()?.body).toMatchObject({
      migration: {
        lock: true,
        verify: 'none',
        source_retention_seconds: 3600,
        bandwidth_bytes_per_second: 1_572_864,
      },
    });
  });

  it('asks for the copy engine that it is told, and knows which there are', async () => {
    await world.run(['migrate', 'data1', '--to', 'store-a@files#p2', '--copy-engine', 'dd']);
    const unknown = await world.run(['migrate', 'data1', ...TO, '--copy-engine', 'rsync']);

    expect(world.posted()?.body).toMatchObject({ migration: { copy_engine: 'dd' } });
    expect(unknown.exitCode).toBe(2);
    expect(unknown.stderr).toContain('Allowed choices are volmove, dd.');
  });

  it('waits with its progress on stderr, so that stdout is still the id', async () => {
    world.onSleep = () => {
      world.service.migrations[0] = aSuccess();
    };

    const result = await world.run(['migrate', 'data1', ...TO, '--wait']);

    expect(result).toMatchObject({ exitCode: 0, stdout: `${ID}\n` });
    expect(result.stderr).toContain('done: data1 moved to store-b@files#p1');
  });

  it('waits and prints one JSON document: how it ended', async () => {
    world.onSleep = () => {
      world.service.migrations[0] = aFailure();
    };

    const result = await world.run(['migrate', 'data1', ...TO, '--wait', '--json']);

    expect(result.exitCode).toBe(7);
    expect(JSON.parse(result.stdout).migration.state).toBe('failed');
  });

  it('gives up waiting at the time-out', async () => {
    const result = await world.run(['migrate', 'data1', ...TO, '--wait', '--timeout', '3']);

    expect(result).toMatchObject({ exitCode: 9, stdout: `${ID}\n` });
  });

  it('only checks with --dry-run: every check, and what to do about those that block', async () => {
    world.service.checks.push(
      { name: 'volume_available', ok: true, message: 'The volume is available.', remedy: null },
      { name: 'space', ok: false, message: 'The pool is full.', remedy: 'Look at it: volmove show VOLUME.' },
    );

    const result = await world.run(['migrate', 'data1', ...TO, '--dry-run']);

    expect(result.exitCode).toBe(3);
    expect(result.stdout.split('\n')).toEqual([
      'CHECK             RESULT   WHAT IT FOUND',
      'volume available  ok       The volume is available.',
      'space             blocked  The pool is full.',
      '',
    ]);
    expect(result.stderr).toContain(`To pass "space": Look at it: volmove show ${volumeId(1)}.`);
    expect(world.posted()?.body).toMatchObject({ migration: { dry_run: true } });
  });

  it('ends with 0 when all checks pass, and prints them as JSON', async () => {
    const check = { name: 'space', ok: true, message: 'There is room.', remedy: null };
    world.service.checks.push(check);

    const result = await world.run(['migrate', 'data1', ...TO, '--dry-run', '--json']);

    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.stdout)).toEqual({ checks: [check] });
  });

  it('tells a refusal with its reason and what to do', async () => {
    const fault = { code: 400, message: 'Invalid volume: in-use', error_code: 'InvalidVolume', remedy: 'Detach it.' };
    world.service.intercept = ({ method }) =>
      method === 'POST' ? { status: 400, body: { badRequest: fault } } : undefined;

    const result = await world.run(['migrate', 'data1', ...TO]);

    expect(result).toEqual({ exitCode: 3, stdout: '', stderr: 'error: Invalid volume: in-use\n    -> Detach it.\n' });
  });

  it('cancels, and says where the volume stays', async () => {
    const text = await world.run(['cancel', ID]);
    const json = await world.run(['cancel', ID, '--json']);

    expect(text).toMatchObject({ exitCode: 0, stdout: '' });
    expect(text.stderr).toContain('data1 stays at store-a@files#p1');
    expect(world.posted()?.body).toEqual({ cancel: {} });
    expect(JSON.parse(json.stdout).migration.cancel_wished).toBe(true);
  });

  it('cancels the migration that a volume is in', async () => {
    await world.run(['cancel', 'data1']);

    expect(world.posted()).toMatchObject({ body: { cancel: {} } });
    expect(world.posted()?.path).toContain(ID);
  });

  it('says that it is too late to cancel', async () => {
    const fault = { code: 409, message: 'cannot be cancelled', error_code: 'TooLate', remedy: 'Look at it.' };
    world.service.intercept = ({ method }) =>
      method === 'POST' ? { status: 409, body: { conflictingRequest: fault } } : undefined;

    expect((await world.run(['cancel', ID])).exitCode).toBe(6);
  });
});
