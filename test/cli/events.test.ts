import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aMigration, anEvent, aProgress, aSuccess, aVolume, GIB, MIB, migrationId } from './builders.ts';
import { createWorld, type World } from './world.ts';

const ID = migrationId(1);
const progress = (sequence: number) =>
  anEvent('progress', sequence, {
    phase: 'copying',
    percent: 45,
    done_bytes: 3.6 * GIB,
    total_bytes: 8 * GIB,
    rate_bytes_per_second: 312 * MIB,
    eta_seconds: null,
  });
const end = (sequence: number) =>
  anEvent('end', sequence, {
    result: 'success',
    host: 'store-b@files#p1',
    digest: 'ab'.repeat(32),
    duration_ms: 26_000,
  });

describe('volmove events', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    world.service.migrations.push(aMigration({ progress: aProgress() }));
    world.service.volumes.push(aVolume());
    world.service.events.set(ID, [progress(1), progress(2)]);
  });
  afterEach(() => world.close());

  it('prints what was told, after a number if one is given', async () => {
    const all = await world.run(['events', ID]);
    const newer = await world.run(['events', ID, '--after', '1', '--json']);

    expect(all.stdout.split('\n')[0]).toBe(
      '2026-11-23 02:10:00  Progress  copying 45 %, 3.6 GiB of 8.0 GiB, 312 MiB/s, ETA unknown',
    );
    expect(JSON.parse(newer.stdout)).toEqual(progress(2));
  });

  it('follows one migration to its end, each event once', async () => {
    world.onSleep = (count) => {
      if (count === 0) world.service.events.get(ID)?.push(progress(3));
      if (count !== 2) return;
      world.service.events.get(ID)?.push(end(4));
      world.service.migrations[0] = aSuccess();
    };

    const result = await world.run(['events', ID, '--follow', '--json']);

    const sequences = result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).detail.sequence);
    expect(sequences).toEqual([1, 2, 3, 4]);
    expect(result.exitCode).toBe(0);
  });

  it('follows all migrations from now on until Ctrl-C, and names their volumes', async () => {
    world.onSleep = (count) => {
      if (count === 1) {
        world.service.migrations.unshift(aMigration({ id: migrationId(2), volume_name: 'data2' }));
        world.service.events.set(migrationId(2), [anEvent('start', 1, { size_bytes: GIB })]);
        world.service.events.get(ID)?.push(end(3));
      }
      if (count === 4) world.interrupt();
    };

    const result = await world.run(['events', '--follow']);

    const lines = result.stdout.trimEnd().split('\n');
    expect(result.exitCode).toBe(130);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('data1  Ended     success after 26 s, lives at store-b@files#p1');
    expect(lines[1]).toContain('data2  Started');
  });

  it('goes on through a restart of the service', async () => {
    world.onSleep = (count) => {
      world.service.intercept = count === 1 ? () => ({ status: 503, body: 'restarting' }) : undefined;
      if (count === 3) world.service.migrations[0] = aSuccess();
    };

    const result = await world.run(['events', ID, '--follow']);

    expect(result.exitCode).toBe(0);
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(result.stderr).toContain('Trying again');
  });

  it('asks which migration', async () => {
    expect((await world.run(['events'])).exitCode).toBe(2);
    expect((await world.run(['events', '--follow', '--after', '3'])).exitCode).toBe(2);
  });
});
