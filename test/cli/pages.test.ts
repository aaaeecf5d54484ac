import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { widthOf } from '../../cli/output/line.ts';
import { aFailure, aMigration, aSuccess, at, aVolume, migrationId, needsYou, storyOf, volumeId } from './builders.ts';
import { createWorld, type World } from './world.ts';

describe('what is shown of migrations, volumes and storage', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.close());

  it('lists migrations newest first, whole, where the output is no terminal', async () => {
    world.service.migrations.push(aMigration(), aFailure({ id: migrationId(2), cleanup: needsYou }));

    const { stdout } = await world.run(['list'], { columns: 40 });

    const [head, first, second] = stdout.split('\n');
    expect(head).toMatch(/^MIGRATION +VOLUME +STATE +FROM +TO +ASKED +TOOK$/u);
    expect(first).toContain(`${migrationId(1)}  data1   copying 45 %`);
    expect(first).toContain('store-a@files#p1  store-b@files#p1  40 s ago  40 s');
    expect(second).toContain('failed, needs you');
  });

  it.each([60, 80, 100, 140])('keeps a table within a terminal of %i columns', async (columns) => {
    world.service.migrations.push(aMigration(), aFailure({ volume_name: 'a-rather-long-volume-name' }));
    world.service.volumes.push(aVolume({ name: 'a-rather-long-volume-name' }));

    const env = { NO_COLOR: '1' };
    const tables = [
      await world.run(['list'], { tty: true, columns, env }),
      await world.run(['volumes'], { tty: true, columns, env }),
    ];

    const widths = tables.flatMap(({ stdout }) => stdout.split('\n').map((line) => widthOf(line)));
    expect(Math.max(...widths)).toBeLessThanOrEqual(Math.max(columns, 70));
    expect(tables[0]?.stdout).toContain(migrationId(1).slice(0, 13));
  });

  it('asks for what the filters say, page by page, and takes no link to elsewhere', async () => {
    world.service.volumes.push(aVolume());
    for (let n = 1; n <= 700; n += 1) world.service.migrations.push(aSuccess({ id: migrationId(n) }));

    const result = await world.run(['list', '--volume', 'data1', '--state', 'succeeded', '--limit', '600', '--json']);

    expect(JSON.parse(result.stdout).migrations).toHaveLength(600);
    const lists = world.service.asked.filter((asked) => asked.path === '/v3/migrations');
    expect(lists.map((asked) => asked.query)).toEqual([
      { volume_id: volumeId(1), state: 'succeeded', limit: '500' },
      { volume_id: volumeId(1), state: 'succeeded', limit: '100', marker: migrationId(500) },
    ]);
  });

  it('says that there are more', async () => {
    world.service.migrations.push(aMigration(), aSuccess({ id: migrationId(2) }));

    const result = await world.run(['list', '--limit', '1']);

    expect(result.stderr).toBe('There are more: volmove list --limit 5\n');
  });

  it.each([['list'], ['volumes'], ['hosts'], ['pools']])('says what to do when %s finds nothing', async (command) => {
    const text = await world.run([command]);
    const json = await world.run([command, '--json']);

    expect(text).toMatchObject({ exitCode: 0, stdout: '' });
    expect(text.stderr).not.toBe('');
    expect(Object.values(JSON.parse(json.stdout) as object)).toEqual([[]]);
  });

  it('shows a volume and its last migrations', async () => {
    world.service.volumes.push(
      aVolume({
        status: 'in-use',
        attachments: [{ id: 'a', host_name: 'guest', device: '/dev/vdb' }],
        metadata: { tier: '1' },
      }),
    );
    world.service.migrations.push(aSuccess(), aMigration({ id: migrationId(2), volume_id: volumeId(2) }));

    const { stdout } = await world.run(['show', 'data1']);

    expect(stdout).toContain('Place             store-a@files#p1\n');
    expect(stdout).toContain('Attached to       guest as /dev/vdb\n');
    expect(stdout).toContain('Metadata          tier=1\n');
    expect(stdout).toContain('Created           2026-11-22 02:10:00 UTC, 1 d ago\n');
    expect(stdout).toContain(migrationId(1));
    expect(stdout).not.toContain(migrationId(2));
  });

  it('shows a migration that succeeded: where the volume lives, both digests, the timeline', async () => {
    world.service.migrations.push(aSuccess());

    const { stdout } = await world.run(['show', migrationId(1)]);

    expect(stdout).toContain('Left it at           store-b@files#p1\n');
    expect(stdout).toContain(`Digest, destination  ${'ab'.repeat(32)}  equal\n`);
    expect(stdout).toContain('Data                 3.0 GiB read, 3.0 GiB written\n');
    expect(stdout).toContain('2026-11-23 02:09:20  copying     10 s  workflow\n');
    expect(stdout).toContain(`Execution            ${migrationId(1)}-1\n`);
  });

  it('shows a migration that failed: reason, what to do, where the volume is safe, what is left', async () => {
    const story = [...storyOf(['validating', 'failed']), ...storyOf(['validating', 'failed'], 2)];
    world.service.migrations.push(aFailure({ cleanup: needsYou, story, run: 2 }));

    const { stdout } = await world.run(['show', '0197c2a4']);

    expect(stdout).toContain('Reason       The connection between the agents broke: ECONNRESET  (ConnectionLost)\n');
    expect(stdout).toContain('What to do   Check the network between the two hosts');
    expect(stdout).toContain('Left it at   store-a@files#p1  safe, as before\n');
    expect(stdout).toContain('Left over    volume-1 on store-a@files#p1, 3 tries: it is open\n');
    expect(stdout).toContain('TIME (UTC)           RUN  STEP');
  });

  it('tells a step once, however much the timeline says of it', async () => {
    const story = storyOf(['validating', 'copying', 'copying', 'rolling_back', 'failed', 'failed']);
    world.service.migrations.push(aFailure({ story }));

    const { stdout } = await world.run(['show', migrationId(1)]);

    const steps = stdout
      .split('\n')
      .slice(-7, -1)
      .map((line) => line.slice(21, 33).trim());
    expect(steps).toEqual(['validating', 'copying', '', 'rolling back', 'failed', '']);
  });

  it('tells of no execution of a migration that never began', async () => {
    const migration = aFailure({ state: 'refused', phase: 'refused', story: storyOf(['refused']), execution: null });
    world.service.migrations.push(migration);

    const { stdout } = await world.run(['show', migrationId(1)]);

    expect(stdout).toContain('Timeline');
    expect(stdout).not.toContain('Execution');
  });

  it('says how long a step took as a whole, once, whatever was wished meanwhile', async () => {
    const story = storyOf(['validating', 'copying', 'copying', 'copying', 'verifying', 'verifying', 'succeeded']);
    world.service.migrations.push(aSuccess({ story }));

    const { stdout } = await world.run(['show', migrationId(1)]);

    expect(stdout).toMatch(/copying +30 s +workflow/u);
    expect(stdout).toMatch(/verifying +20 s +workflow/u);
    expect(stdout.match(/\d+ s +workflow/gu)).toEqual(['30 s  workflow', '20 s  workflow']);
  });

  it('counts how long a migration took from the time at which its last run was asked for', async () => {
    const first = [{ at: at(-3600), run: 1, who: 'admin', from: 'none', to: 'requested', why: null }];
    const retried = { at: at(-60), run: 2, who: 'admin', from: 'failed', to: 'requested', why: 'retry' };
    const wished = { ...retried, at: at(-50), from: 'requested', why: 'paused' };
    const story = [...first, retried, wished, ...storyOf(['validating', 'succeeded'], 2)];
    world.service.migrations.push(aSuccess({ requested_at: at(-3600), ended_at: at(-14), run: 2, story }));

    const [page, list] = [await world.run(['show', migrationId(1)]), await world.run(['list'])];

    expect(page.stdout).toContain('after 46 s\n');
    expect(list.stdout).toContain('1 h ago  46 s');
  });

  it('says who copied only where that was not volmove itself', async () => {
    world.service.migrations.push(
      aSuccess({ copy_engine: 'dd' }),
      aSuccess({ id: migrationId(2), copy_engine: 'volmove' }),
    );

    const [dd, own] = [await world.run(['show', migrationId(1)]), await world.run(['show', migrationId(2)])];

    expect(dd.stdout).toContain('Copied by            dd\n');
    expect(own.stdout).not.toContain('Copied by');
  });

  it('shows two different digests as different', async () => {
    world.service.migrations.push(aFailure({ digests: { source: 'aa', destination: 'bb' } }));

    const { stdout } = await world.run(['show', migrationId(1)]);

    expect(stdout).toContain('bb  DIFFERENT');
  });

  it('shows one JSON document of either', async () => {
    world.service.volumes.push(aVolume());
    world.service.migrations.push(aMigration());

    const volume = await world.run(['show', 'data1', '--json']);
    const migration = await world.run(['show', migrationId(1), '--json']);

    expect(JSON.parse(volume.stdout)).toEqual({ volume: aVolume(), migrations: [aMigration()] });
    expect(JSON.parse(migration.stdout)).toEqual({ migration: aMigration() });
  });

  it('lists hosts and pools', async () => {
    const pool = { name: 'p1', place: 'store-a@files#p1', state: 'down', total_bytes: 1, free_bytes: 1 };
    world.service.hosts.push({
      id: 'store-a',
      state: 'down',
      version: '0.1.0',
      address: '127.0.0.1:4433',
      heartbeat_at: at(-125),
      concurrency: 4,
      backends: [{ name: 'files', driver: 'file', pools: [pool] }],
    });
    const capabilities = { driver: 'file', backend_state: 'up', total_capacity_gb: 10, free_capacity_gb: 'unknown' };
    world.service.pools.push({ name: 'store-a@files#p1', capabilities });

    const hosts = await world.run(['hosts']);
    const pools = await world.run(['pools']);

    expect(hosts.stdout.split('\n')[1]).toBe(
      'store-a  down   2 min ago  0.1.0    127.0.0.1:4433             4  files#p1 (down)',
    );
    expect(pools.stdout.split('\n')[1]).toBe('store-a@files#p1  up     unknown  10.0 GiB          -  file    -');
  });
});
