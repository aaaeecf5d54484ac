import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Migration } from '../../cli/api/types.ts';
import {
  aFailure,
  aMigration,
  aProgress,
  aSuccess,
  at,
  aVolume,
  GIB,
  migrationId,
  needsYou,
  storyOf,
  volumeId,
} from './builders.ts';
import { createWorld, type World } from './world.ts';

const ID = migrationId(1);

describe('volmove watch', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    world.service.migrations.push(aMigration());
  });
  afterEach(() => world.close());

  /** What the service says from the n-th wait on. */
  const then = (...steps: readonly Migration[]): void => {
    world.onSleep = (count) => {
      const step = steps[count];
      if (step !== undefined) world.service.migrations[0] = step;
    };
  };

  it('ends with 0 when the volume has moved, and says where it lives', async () => {
    then(aSuccess());

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(0);
    expect(result.stdout.trimEnd().split('\n').at(-1)).toContain('done: data1 moved to store-b@files#p1');
    expect(result.stderr).toBe('');
  });

  it('ends with 7 when it failed and was rolled back, and says where the volume is safe', async () => {
    then(aMigration({ phase: 'rolling_back' }), aFailure());

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(7);
    expect(result.stdout).toContain('The volume stayed safe at store-a@files#p1.');
    expect(result.stdout).toContain('Check the network between the two hosts');
  });

  it('waits for the cleanup, and ends with 8 when that needs a person', async () => {
    then(aSuccess({ cleanup: { state: 'pending', left: [] } }), aSuccess({ cleanup: needsYou }));

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(8);
    expect(result.stdout).toContain('Cleanup needs you: volume-1 on store-a@files#p1 (3 tries: it is open).');
  });

  it('does not wait for ever for a cleanup: the volume has moved', async () => {
    then(aSuccess({ cleanup: { state: 'pending', left: [] } }));

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(`tried until it is gone: volmove show ${ID}`);
  });

  it('leaves the migration alone at Ctrl-C, and says how to watch it again', async () => {
    world.onSleep = (count) => {
      if (count === 2) world.interrupt();
    };

    const result = await world.run(['watch', ID], { tty: true, columns: 200 });

    expect(result.exitCode).toBe(130);
    expect(result.stderr).toContain(`the migration goes on; watch it again with: volmove watch ${ID}`);
    expect(result.stdout.endsWith('\u001b[?25h')).toBe(true);
    expect(world.service.asked.every((asked) => asked.method === 'GET')).toBe(true);
  });

  it('has seen the end when Ctrl-C comes during the cleanup', async () => {
    then(aSuccess({ cleanup: { state: 'pending', left: [] } }));
    const go = world.onSleep;
    world.onSleep = (count) => (count === 3 ? world.interrupt() : go(count));

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(0);
  });

  it('gives up at the time-out; the migration goes on', async () => {
    const result = await world.run(['watch', ID, '--timeout', '7.5']);

    expect(result.exitCode).toBe(9);
    expect(result.stderr).toContain(`volmove watch ${ID}`);
  });

  it('goes on through a restart of the service', async () => {
    let looks = 0;
    world.service.intercept = ({ path }) => {
      looks += path.endsWith(`/migrations/${ID}`) ? 1 : 0;
      return looks > 2 && looks < 6 ? { status: 503, body: { computeFault: { message: 'starting' } } } : undefined;
    };
    world.onSleep = (count) => {
      if (count === 8) world.service.migrations[0] = aSuccess();
    };

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(0);
    expect(result.stdout.match(/Trying again/gu)).toHaveLength(1);
  });

  it('gives up a service that stays away', async () => {
    world.onSleep = () => {
      world.service.intercept = () => ({ status: 503, body: { computeFault: { message: 'away' } } });
    };

    const result = await world.run(['watch', ID]);

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('error: away');
  });

  it('asks the agent for its first report when a phase shows nothing, once', async () => {
    const silent = aMigration({ story: storyOf(['validating', 'copying']), progress: aProgress({ at: null }) });
    world.service.migrations[0] = silent;
    then(silent, silent, silent, aSuccess());

    await world.run(['watch', ID]);

    const asked = world.service.asked.filter(({ path }) => path.endsWith('/progress'));
    expect(asked.map(({ query }) => query)).toEqual([{ fresh: 'true' }]);
  });

  const justBegun = storyOf(['copying']).map((entry) => ({ ...entry, at: at(0) }));
  it.each([
    ['reports by himself', aMigration({ story: storyOf(['validating', 'copying']) })],
    ['has only begun', aMigration({ story: justBegun, progress: aProgress({ at: null }) })],
  ])('asks nobody who %s', async (_, migration) => {
    world.service.migrations[0] = migration;
    then(aSuccess());

    await world.run(['watch', ID]);

    expect(world.service.asked.filter(({ path }) => path.endsWith('/progress'))).toEqual([]);
  });

  it('takes a volume for the migration that it is in, or else for its last one', async () => {
    world.service.volumes.push(aVolume());
    then(aSuccess());

    const underWay = await world.run(['watch', 'data1']);
    const ended = await world.run(['watch', 'data1']);

    expect([underWay.exitCode, ended.exitCode]).toEqual([0, 0]);
    expect(underWay.stdout).toContain('copying');
    expect(ended.stdout).toContain('done: data1 moved to');
  });

  it('says of a volume that was never moved how to move it', async () => {
    world.service.volumes.push(aVolume({ id: volumeId(2), name: 'data2' }));

    const { exitCode, stderr } = await world.run(['watch', 'data2']);

    expect(exitCode).toBe(4);
    expect(stderr).toContain('volmove migrate data2');
  });

  it('watches several at once, and ends with the most urgent code', async () => {
    world.service.migrations.push(aMigration({ id: migrationId(2), volume_name: 'data2' }));
    world.onSleep = (count) => {
      if (count === 1) world.service.migrations[0] = aSuccess();
      if (count === 3) world.service.migrations[1] = aFailure({ id: migrationId(2), volume_name: 'data2' });
    };

    const result = await world.run(['watch', ID, '0197c2a4-0002']);

    expect(result.exitCode).toBe(7);
    expect(result.stdout).toContain('done: data1 moved to');
    expect(result.stdout).toContain('FAILED: The migration of data2');
  });

  it('writes one JSON line for each change', async () => {
    then(aMigration(), aMigration({ progress: aProgress({ done_bytes: 5 * GIB, percent: 62 }) }), aSuccess());

    const result = await world.run(['watch', ID, '--json']);

    const lines = result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Migration);
    expect(lines.map((one) => [one.state, one.progress?.percent])).toEqual([
      ['running', 45],
      ['running', 62],
      ['succeeded', 99],
    ]);
  });

  it('never shows 100 % before the success', async () => {
    then(aMigration({ progress: aProgress({ done_bytes: 8 * GIB, percent: 100 }) }), aSuccess());

    const result = await world.run(['watch', ID], { tty: true });

    const frames = result.stdout.split('\u001b[K\n');
    const full = frames.filter((line) => line.includes('100 %'));
    expect(full).toEqual([]);
    expect(result.stdout).toContain('99 %');
  });

  it('finds a migration by the start of its id, if only one begins so', async () => {
    world.service.migrations.push(aSuccess({ id: migrationId(2) }));

    const one = await world.run(['watch', migrationId(2).slice(0, 13)]);
    const both = await world.run(['watch', '0197c2a4']);
    const tooShort = await world.run(['watch', '0197']);

    expect(one.exitCode).toBe(0);
    expect(both.exitCode).toBe(2);
    expect(both.stderr).toContain(migrationId(1));
    expect(both.stderr).toContain(migrationId(2));
    expect(tooShort.exitCode).toBe(4);
  });
});
