import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pauseState } from '../../cli/output/pause.ts';
import { aFailure, aMigration, aProgress, migrationId, volumeId } from './builders.ts';
import { createWorldOfOne, type World } from './world.ts';

const ID = migrationId(1);
const MIB = 1024 * 1024;
const PAUSE = { by: 'ann', at: '2026-01-01T00:00:00.000Z' };

describe('volmove pause, resume and bandwidth', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorldOfOne();
  });
  afterEach(() => world.close());

  it.each([
    [['pause', ID], { pause: {} }, `Pausing: data1 holds. Go on: volmove resume ${ID}`],
    [['pause', 'data1'], { pause: {} }, 'Pausing: data1'],
    [['resume', ID.slice(0, 8)], { resume: {} }, 'data1 goes on.'],
    [['bandwidth', ID, '200'], { set_bandwidth: { bytes_per_second: 200 * MIB } }, 'data1: 200 MiB/s at the most.'],
    [['bandwidth', 'data1', '0.5'], { set_bandwidth: { bytes_per_second: MIB / 2 } }, '512 KiB/s at the most'],
    [['bandwidth', 'data1', '--none'], { set_bandwidth: { bytes_per_second: null } }, 'no limit of its own'],
  ])('%j ask for what they say, and say what was asked', async (command, body, said) => {
    const result = await world.run(command);

    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(result.stderr.replaceAll('\u00a0', ' ')).toContain(said);
    expect(world.posted()?.path).toContain(ID);
    expect(world.posted()?.body).toEqual(body);
  });

  it('print the migration as JSON', async () => {
    const result = await world.run(['pause', ID, '--json']);

    expect(JSON.parse(result.stdout).migration.id).toBe(ID);
  });

  it.each([
    [['bandwidth', 'data1']],
    [['bandwidth', 'data1', '5', '--none']],
    [['bandwidth', 'data1', 'fast']],
    [['bandwidth', 'data1', '0']],
    [['pause']],
  ])('%j is a mistake of use, and asks for nothing', async (command) => {
    const result = await world.run(command);

    expect(result.exitCode).toBe(2);
    expect(world.posted()).toBeUndefined();
  });

  it('find the migration that is under way, although a newer one of the volume was refused', async () => {
    const [running] = world.service.migrations;
    world.service.migrations.unshift(aMigration({ id: migrationId(9), state: 'refused', ended_at: PAUSE.at }));

    const result = await world.run(['pause', 'data1']);

    expect(result.exitCode).toBe(0);
    expect(world.posted()?.path).toContain(running?.id);
  });

  it('find nothing to adjust in a volume that is not being migrated', async () => {
    world.service.migrations.length = 0;
    world.service.migrations.push(aFailure({ volume_id: volumeId(1) }));

    const result = await world.run(['pause', 'data1']);

    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('Volume data1 is not being migrated.');
  });

  it('name what was asked about where a refusal says what to look at', async () => {
    const fault = { code: 409, message: 'it has succeeded', remedy: 'Look at it: volmove show MIGRATION.' };
    world.service.intercept = ({ method }) =>
      method === 'POST' ? { status: 409, body: { conflictingRequest: fault } } : undefined;

    expect((await world.run(['pause', ID])).stderr).toContain(`Look at it: volmove show ${ID}.`);
  });

  it('show a pause and a limit', async () => {
    world.service.migrations[0] = aMigration({
      paused: PAUSE,
      bandwidth_bytes_per_second: 200 * MIB,
      progress: aProgress({ activity: 'paused', rate_bytes_per_second: 0, eta_seconds: null }),
    });

    const page = await world.run(['show', ID]);
    const list = await world.run(['list']);

    expect(page.stdout).toMatch(/State +copying 45 %, paused/);
    expect(page.stdout).toMatch(/Progress +45 %.* 0 B\/s, ETA unknown +paused/);
    expect(page.stdout).toMatch(/Limit +200 MiB\/s at the most/);
    expect(list.stdout).toContain('copying 45 %, paused');
  });
});

describe('a pause in words', () => {
  it.each([
    ['none', aMigration(), undefined],
    ['wished, and not settled yet', aMigration({ paused: PAUSE }), 'pausing'],
    ['settled', aMigration({ paused: PAUSE, progress: aProgress({ activity: 'paused' }) }), 'paused'],
    ['wished before the copy', aMigration({ paused: PAUSE, phase: 'preparing' }), 'pauses when the copy begins'],
    ['of one that has ended', aFailure({ paused: PAUSE }), undefined],
  ])('that is %s', (_what, migration, words) => {
    expect(pauseState(migration)).toBe(words);
  });
});
