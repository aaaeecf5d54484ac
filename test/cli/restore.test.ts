import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Kept, Migration } from '../../cli/api/types.ts';
import { aMigration, aSuccess, at, aVolume, migrationId, volumeId } from './builders.ts';
import { createWorld, type World } from './world.ts';

const KEPT: Kept = { role: 'source', object: 'volume-1-create-1', host: 'store-a@files#p1', until: at(3600) };
const OLDER: Kept = { role: 'source', object: 'volume-1-create-0', host: 'store-c@files#p1', until: at(60) };
const NEWEST = migrationId(3);
const WITH_SOURCE = migrationId(2);
const OLD = migrationId(1);

const moved = (n: number, kept: readonly Kept[], change: Partial<Migration> = {}): Migration =>
  aSuccess({ id: migrationId(n), cleanup: { state: 'none', left: [] }, kept, restored_at: null, ...change });

describe('volmove restore', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    world.service.volumes.push(aVolume({ 'os-vol-host-attr:host': 'store-b@files#p1' }));
    world.service.migrations.push(moved(3, []), moved(2, [KEPT]), moved(1, [OLDER]));
  });
  afterEach(() => world.close());

  it('goes back behind the newest migration whose source is kept, and says what that means and what became of it', async () => {
    const result = await world.run(['restore', 'data1', '--yes']);

    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(result.stderr).toContain(
      'data1 is to go from store-b@files#p1 back to store-a@files#p1, kept until 2026-11-23',
    );
    expect(result.stderr).toContain('what is at store-b@files#p1 is removed then.');
    expect(result.stderr).toContain('data1 lives at store-a@files#p1 again.');
    expect(world.posted()).toMatchObject({
      path: expect.stringContaining(WITH_SOURCE),
      body: { restore: { discard_changes: false } },
    });
  });

  it('goes back behind the one that was named, and discards when that was said', async () => {
    const result = await world.run(['restore', 'data1', '--migration', OLD, '--discard-changes', '--yes']);

    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('With that, what was written since the migration is lost.');
    expect(world.posted()).toMatchObject({
      path: expect.stringContaining(OLD),
      body: { restore: { discard_changes: true } },
    });
  });

  it('prints the migration as JSON', async () => {
    const result = await world.run(['restore', volumeId(1), '--yes', '--json']);

    expect(JSON.parse(result.stdout).migration.id).toBe(WITH_SOURCE);
  });

  it('leaves what is named to the service to judge, also when nothing of it is kept', async () => {
    await world.run(['restore', 'data1', '--migration', NEWEST, '--yes']);

    expect(world.posted()?.path).toContain(NEWEST);
  });

  it.each([
    ['y', 0],
    ['Yes ', 0],
    ['', 2],
    ['no', 2],
  ])('asks a person first: "%s" ends with %i', async (line, exitCode) => {
    const questions: string[] = [];
    const ask = async (question: string): Promise<string> => {
      questions.push(question);
      return line;
    };

    const result = await world.run(['restore', 'data1'], { tty: true, ask });

    expect(result.exitCode).toBe(exitCode);
    expect(questions).toEqual(['Go back? [y/N] ']);
    expect(world.posted() === undefined).toBe(exitCode !== 0);
  });

  it('without a person and without --yes does nothing, and says how', async () => {
    const result = await world.run(['restore', 'data1']);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('--yes');
    expect(world.posted()).toBeUndefined();
  });

  it('finds nothing where nothing is kept, and says how to keep it', async () => {
    world.service.migrations.splice(0, 3, moved(3, []), aMigration({ id: OLD }));

    const result = await world.run(['restore', 'data1', '--yes']);

    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('No source of volume data1 is kept.');
    expect(result.stderr).toContain('volmove migrate data1 --to PLACE --keep-source SECONDS');
    expect(world.posted()).toBeUndefined();
  });

  it('does not go back behind a migration of another volume', async () => {
    world.service.migrations.push(moved(9, [KEPT], { volume_id: volumeId(2) }));

    const result = await world.run(['restore', 'data1', '--migration', migrationId(9), '--yes']);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(volumeId(2));
    expect(world.posted()).toBeUndefined();
  });

  it.each([
    [409, 'ChangesSinceMigration', 6],
    [409, 'CannotRestore', 6],
    [400, 'VolumeClaimed', 3],
  ])('a refusal %i %s ends with %i, its reason and the line to type', async (status, code, exitCode) => {
    const remedy = 'Save what you need first (volmove restore VOLUME --discard-changes).';
    world.service.intercept = ({ method }) =>
      method === 'POST'
        ? { status, body: { fault: { code: status, message: 'the reason', error_code: code, remedy } } }
        : undefined;

    const result = await world.run(['restore', 'data1', '--yes']);

    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain('the reason');
    expect(result.stderr).toContain('volmove restore data1 --discard-changes');
  });
});

describe('what is kept', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    world.service.volumes.push(aVolume());
    world.service.migrations.push(moved(2, [KEPT]), moved(1, [], { restored_at: at(-5) }));
  });
  afterEach(() => world.close());

  it('is asked for, and to be wiped, with the migration', async () => {
    await world.run(['migrate', 'data1', '--to', 'store-b@files#p1', '--keep-source', '60', '--wipe']);

    expect(world.posted()?.body).toMatchObject({
      migration: { source_retention_seconds: 60, wipe: true },
    });
  });

  it('is shown with its migration and with its volume: what, where, until when', async () => {
    const migration = await world.run(['show', WITH_SOURCE]);
    const volume = await world.run(['show', 'data1']);

    for (const { stdout } of [migration, volume])
      expect(stdout).toMatch(/Kept +source at store-a@files#p1 until 2026-11-23 03:10:00 UTC +volume-1-create-1/);
  });

  it('is told at the end of a watch, with the way back', async () => {
    const { exitCode, stderr, stdout } = await world.run(['watch', WITH_SOURCE]);

    expect(exitCode).toBe(0);
    expect(stderr + stdout).toContain('The source is kept at store-a@files#p1 until 2026-11-23 03:10:00 UTC');
    expect(stderr + stdout).toContain('volmove restore data1');
    expect(stderr + stdout).not.toContain('The old copy is removed.');
  });

  it('has a column in the list only where there is something', async () => {
    const some = await world.run(['list']);
    world.service.migrations.shift();
    const none = await world.run(['list']);

    expect(some.stdout).toContain('source until 2026-11-23 03:10:00');
    expect(none.stdout).not.toContain('KEPT');
  });

  it('of a volume that went back shows where it lives now', async () => {
    const { stdout } = await world.run(['show', OLD]);

    const watched = await world.run(['watch', OLD]);

    expect(stdout).toMatch(/Left it at +store-a@files#p1 +it went back there/);
    expect(watched.stderr + watched.stdout).toContain('data1 went back to store-a@files#p1');
  });
});
