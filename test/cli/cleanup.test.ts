import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Leftover, Removal } from '../../cli/api/leftovers.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { aFailure, aSuccess, at, MIB, migrationId, type needsYou, volumeId } from './builders.ts';
import type { Asked } from './fake-service.ts';
import { createWorld, type World } from './world.ts';

const OBJECT = `volume-${volumeId(1)}-${migrationId(1)}-1`;
const STRANGER = `volume-${volumeId(9)}-create-1`;

const aLeftover = (change: Partial<Leftover> = {}): Leftover => ({
  object: OBJECT,
  host: 'store-b@files#p1',
  id: 'inode-7',
  state: 'leftover',
  why: 'made by run 1; its volume does not refer to it',
  volume_id: volumeId(1),
  migration_id: migrationId(1),
  size_bytes: 20 * MIB,
  made_at: at(-7_200),
  tries: 0,
  reason: null,
  next_try_at: null,
  ...change,
});
const PENDING = aLeftover({ object: 'volume-p', state: 'needs_you', tries: 3, reason: 'it is open' });
const UNKNOWN = aLeftover({ object: STRANGER, state: 'unknown', why: 'volume 9 is not known here' });

interface Service {
  leftovers: Leftover[];
  notAsked: { host: string; reason: string }[];
  /** What becomes of an object that is asked for; removed where it is not said. */
  became: Map<string, Pick<Removal, 'state' | 'reason'>>;
}

describe('volmove cleanup', () => {
  let world: World;
  let service: Service;
  const removals: { objects: { object: string; host?: string; id?: string }[]; unknown: boolean }[] = [];

  const answer = ({ path, body }: Asked) => {
    if (path.endsWith('/cleanup/scan')) {
      const pools = (body as { scan: { pools?: unknown[] } }).scan.pools;
      return {
        status: 200,
        body: {
          leftovers: pools ? service.leftovers.slice(1) : service.leftovers.slice(0, 1),
          not_asked: pools ? [] : service.notAsked,
          unfinished: pools ? [] : [{ host: 'store-b@files#p1', after: OBJECT }],
        },
      };
    }
    if (!path.endsWith('/cleanup/remove')) return undefined;
    const { remove } = body as { remove: (typeof removals)[number] };
    removals.push(remove);
    const objects = remove.objects.map(({ object, host = null }) => ({
      object,
      host,
      ...(service.became.get(object) ?? { state: 'removed', reason: null }),
    }));
    return { status: 200, body: { objects } };
  };

  beforeEach(async () => {
    world = await createWorld();
    service = { leftovers: [], notAsked: [], became: new Map() };
    removals.length = 0;
    world.service.intercept = answer;
  });
  afterEach(() => world.close());

  it('ends well when nothing is left', async () => {
    const result = await world.run(['cleanup']);

    expect(result).toMatchObject({ exitCode: EXIT.done, stdout: '', stderr: 'Nothing is left over.\n' });
  });

  it('lists object, place, size, age, tries, state, why and the last reason, of all pages, and ends with a code of its own', async () => {
    service.leftovers = [aLeftover(), PENDING, UNKNOWN];

    const result = await world.run(['cleanup']);

    expect(result.exitCode).toBe(EXIT.leftovers);
    expect(EXIT.leftovers).toBe(10);
    const lines = result.stdout.split('\n');
    expect(lines[0]).toMatch(/^OBJECT +HOST +SIZE +AGE +TRIES +STATE +WHY$/);
    expect(lines[1]).toMatch(/^volume-.* store-b@files#p1 +20\.0 MiB +2 h 00 min +0 +nobody wants it +made by run 1/);
    expect(lines[2]).toMatch(/^volume-p .* 3 +needs you .* it is open$/);
    expect(lines[3]).toMatch(new RegExp(`^${STRANGER} .* unknown `));
    expect(result.stderr).toContain('volmove cleanup --remove NAME');
  });

  it('never cuts a name, however narrow the terminal is', async () => {
    service.leftovers = [aLeftover()];

    const { stdout } = await world.run(['cleanup'], { tty: true, columns: 60 });

    expect(stdout).toContain(OBJECT);
  });

  it.each([[[]], [['--remove-all', '--yes']]])(
    'is not content when a pool could not be looked into: %j',
    async (options) => {
      service.notAsked = [{ host: 'store-c@files#p1', reason: 'host store-c is down' }];

      const result = await world.run(['cleanup', ...options]);

      expect(result.exitCode).toBe(EXIT.leftovers);
      expect(result.stderr).toContain('Not looked into: store-c@files#p1: host store-c is down.');
      expect(result.stderr).not.toContain('Nothing is left over.');
    },
  );

  it('prints one JSON document', async () => {
    service.leftovers = [aLeftover(), UNKNOWN];

    const { stdout, exitCode } = await world.run(['cleanup', '--json']);

    expect(JSON.parse(stdout)).toEqual({ leftovers: [aLeftover(), UNKNOWN], not_asked: [] });
    expect(exitCode).toBe(EXIT.leftovers);
  });

  it('removes by exact name with what is known of the object, and shows what became of it', async () => {
    service.leftovers = [aLeftover(), PENDING];

    const result = await world.run(['cleanup', '--remove', OBJECT, '--yes']);

    expect(removals).toEqual([
      { objects: [{ object: OBJECT, host: 'store-b@files#p1', id: 'inode-7' }], unknown: true },
    ]);
    expect(result.stdout).toMatch(/OBJECT +HOST +BECAME +REASON\nvolume-.* removed\n/);
    expect(result.exitCode).toBe(EXIT.done);
  });

  it('says what was refused and why, and ends as blocked', async () => {
    service.became.set(STRANGER, { state: 'refused', reason: 'volume 9 lives on it' });

    const result = await world.run(['cleanup', '--remove', STRANGER, '--yes']);

    expect(removals[0]?.objects).toEqual([{ object: STRANGER }]);
    expect(result.stdout).toMatch(/refused +volume 9 lives on it/);
    expect(result.exitCode).toBe(EXIT.blocked);
  });

  it('ends with leftovers when one is busy', async () => {
    service.leftovers = [aLeftover(), PENDING];
    service.became.set('volume-p', { state: 'failed', reason: 'it is open' });

    const result = await world.run(['cleanup', '--remove', OBJECT, 'volume-p', '--yes', '--json']);

    expect(result.exitCode).toBe(EXIT.leftovers);
    expect(JSON.parse(result.stdout).objects).toMatchObject([{ state: 'removed' }, { state: 'failed' }]);
  });

  it('removes all that nobody wants, never what nobody here knows, and says what is left', async () => {
    service.leftovers = [aLeftover(), PENDING, UNKNOWN];

    const result = await world.run(['cleanup', '--remove-all', '--yes']);

    expect(removals).toMatchObject([{ objects: [{ object: OBJECT }, { object: 'volume-p' }], unknown: false }]);
    expect(result.exitCode).toBe(EXIT.leftovers);
    expect(result.stderr).toContain('1 object of which nobody here knows whose they are');
  });

  it('ends well when all of it is gone', async () => {
    service.leftovers = [aLeftover(), PENDING];

    expect((await world.run(['cleanup', '--remove-all', '--yes'])).exitCode).toBe(EXIT.done);
  });

  it.each([
    ['y', 1, EXIT.done],
    ['Yes', 1, EXIT.done],
    ['n', 0, EXIT.usage],
    ['', 0, EXIT.usage],
  ])('asks a person first; "%s" removes %i', async (line, count, exitCode) => {
    service.leftovers = [aLeftover()];
    const questions: string[] = [];
    const ask = async (question: string): Promise<string> => {
      questions.push(question);
      return line;
    };

    const result = await world.run(['cleanup', '--remove-all'], { tty: true, ask });

    expect(questions).toEqual(['Remove 1 object, for ever? [y/N] ']);
    expect(result.stderr).toContain(OBJECT);
    expect(removals).toHaveLength(count);
    expect(result.exitCode).toBe(exitCode);
  });

  it('warns of what nobody here knows before it asks', async () => {
    service.leftovers = [UNKNOWN];

    const result = await world.run(['cleanup', '--remove', STRANGER], { tty: true, ask: async () => 'n' });

    expect(result.stderr.replaceAll('\n', ' ')).toContain('volume 9 is not known here.');
    expect(removals).toEqual([]);
  });

  it.each([[['--remove', OBJECT]], [['--remove-all']], [['--remove', OBJECT, '--remove-all', '--yes']]])(
    'removes nothing by accident: %j',
    async (options) => {
      service.leftovers = [aLeftover()];

      const result = await world.run(['cleanup', ...options]);

      expect(result.exitCode).toBe(EXIT.usage);
      expect(removals).toEqual([]);
    },
  );
});

describe('what a migration has left', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.close());

  const left = (state: 'pending' | 'needs_you'): typeof needsYou => ({
    state,
    left: [{ object: OBJECT, host: 'store-b@files#p1', tries: 3, reason: 'it is open', next_try_at: at(60) }],
  });

  it.each([
    ['a success', aSuccess(), EXIT.done],
    ['a success whose old copy is being removed', aSuccess({ cleanup: left('pending') }), EXIT.done],
    ['a failure that has left nothing', aFailure(), EXIT.failed],
    ['a failure whose leftovers are being removed', aFailure({ cleanup: left('pending') }), EXIT.failed],
    ['a success whose leftovers need a person', aSuccess({ cleanup: left('needs_you') }), EXIT.needsYou],
    ['a failure whose leftovers need a person', aFailure({ cleanup: left('needs_you') }), EXIT.needsYou],
  ])('gives %s an exit code of its own', async (_what, migration, exitCode) => {
    world.service.migrations.push(migration);

    expect((await world.run(['watch', migrationId(1)])).exitCode).toBe(exitCode);
  });

  it('is shown with where, tries, reason and the next try, apart from where the volume is safe', async () => {
    world.service.migrations.push(aFailure({ cleanup: left('needs_you') }));

    const { stdout } = await world.run(['show', migrationId(1)]);

    expect(stdout).toMatch(/Left it at +store-a@files#p1 +safe, as before/);
    expect(stdout).toMatch(/Cleanup +needs you/);
    expect(stdout).toContain(`${OBJECT} on store-b@files#p1, 3 tries: it is open; next try at 2026-11-23 02:11:00 UTC`);
    expect(stdout).toContain('volmove cleanup');
  });
});
