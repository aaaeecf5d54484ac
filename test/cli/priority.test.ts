import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { queueState } from '../../cli/output/queue.ts';
import { aFailure, aMigration, aProgress, at, migrationId } from './builders.ts';
import { createWorldOfOne, type World } from './world.ts';

const ID = migrationId(1);
const third = { position: 3, of: 7, waiting_for: 'host', host: 'alpha', backend: 'files' } as const;
const queued = (changes: Partial<typeof third> | { position: number } | { waiting_for: 'backend' } = {}) =>
  aMigration({
    progress: aProgress({
      done_bytes: 0,
      percent: 0,
      rate_bytes_per_second: 0,
      eta_seconds: null,
      at: at(-3600),
      activity: 'queued',
      queue: { ...third, ...changes },
    }),
  });

let world: World;
beforeEach(async () => {
  world = await createWorldOfOne();
});
afterEach(() => world.close());

describe('volmove priority', () => {
  it.each([
    [['priority', ID, 'high'], 'high'],
    [['priority', ID.slice(0, 8), 'low'], 'low'],
    [['priority', 'data1', 'normal'], 'normal'],
  ])('%j asks for it, and says what was asked', async (command, priority) => {
    const result = await world.run(command);

    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
    expect(result.stderr).toContain(`data1: priority ${priority}.`);
    expect(world.posted()?.path).toContain(ID);
    expect(world.posted()?.body).toEqual({ set_priority: { priority } });
  });

  it('says where a migration that waits is now', async () => {
    world.service.migrations[0] = queued({ position: 1 });

    const result = await world.run(['priority', 'data1', 'high']);

    expect(result.stderr).toContain('data1: priority high, queued, 1st of 7 on alpha.');
  });

  it('prints the migration as JSON', async () => {
    const result = await world.run(['priority', ID, 'high', '--json']);

    expect(JSON.parse(result.stdout).migration.id).toBe(ID);
  });

  it.each([[['priority', 'data1']], [['priority', 'data1', 'urgent']], [['priority', 'data1', '50']]])(
    '%j is a mistake of use, and asks for nothing',
    async (command) => {
      const result = await world.run(command);

      expect(result.exitCode).toBe(2);
      expect(world.posted()).toBeUndefined();
    },
  );
});

describe('volmove migrate --priority', () => {
  const migrate = (...more: string[]) => world.run(['migrate', 'data1', '--to', 'store-b@files#p1', ...more]);

  it('asks for it; without it nothing is said, and the service chooses', async () => {
    await migrate('--priority', 'high');
    await migrate();

    const asked = world.service.asked.filter(({ method }) => method === 'POST').map(({ body }) => body);
    expect(asked[0]).toMatchObject({ migration: { priority: 'high' } });
    expect(asked[1]).not.toHaveProperty('migration.priority');
  });

  it('takes no other words', async () => {
    expect((await migrate('--priority', 'urgent')).exitCode).toBe(2);
    expect(world.posted()).toBeUndefined();
  });
});

describe('a migration that waits in a queue', () => {
  it('is shown with its place by show, list and watch', async () => {
    world.service.migrations[0] = { ...queued(), priority: 'low' };

    const page = await world.run(['show', ID]);
    const list = await world.run(['list']);
    const watch = await world.run(['watch', ID, '--timeout', '1']);

    expect(page.stdout).toMatch(/State +copying 0 %, queued, 3rd of 7 on alpha/);
    expect(page.stdout).toMatch(/Priority +low/);
    expect(list.stdout).toContain('copying 0 %, queued, 3rd of 7 on alpha');
    expect(watch.stdout).toContain('queued, 3rd of 7 on alpha');
    expect(watch.stdout).not.toContain('last report');
  });

  it('is watched on a terminal with its place below the bar', async () => {
    world.service.migrations[0] = queued();

    const watch = await world.run(['watch', ID, '--timeout', '1'], { tty: true });

    expect(watch.stdout + watch.stderr).toContain('queued, 3rd of 7 on alpha');
  });

  it.each([
    ['first', queued({ position: 1 }), 'queued, 1st of 7 on alpha'],
    ['second', queued({ position: 2 }), 'queued, 2nd of 7 on alpha'],
    ['eleventh', queued({ position: 11 }), 'queued, 11th of 7 on alpha'],
    ['kept back by its backend', queued({ waiting_for: 'backend' }), 'queued, 3rd of 7 on alpha (backend files)'],
    ['in a place that is not known', aMigration({ progress: aProgress({ activity: 'queued' }) }), 'queued'],
    ['not waiting', aMigration(), undefined],
    ['over', aFailure({ progress: queued().progress }), undefined],
    ['already a phase further', { ...queued(), phase: 'verifying' }, undefined],
  ])('says so in words when it is %s', (_what, migration, words) => {
    expect(queueState(migration)).toBe(words);
  });
});
