import { describe, expect, it } from 'vitest';
import { write } from '../../domain/decision.ts';
import { endMigration } from '../../domain/migration/end.ts';
import { runObjectName } from '../../domain/names.ts';
import type { Outcome, Volume } from '../../domain/volume/volume.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import type { Records } from '../../store/records.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  aMigration,
  anObject,
  aRetained,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  SOURCE,
  SOURCE_OBJECT,
  VOLUME_ID,
} from '../helpers/factories.ts';
import { written } from '../helpers/refusal.ts';
import { native } from './migrate-helpers.ts';
import { show } from './migration-helpers.ts';
import { type Answer, createWorld, MEMBER, volumeNow, type World, withHosts, withVolume } from './world.ts';

/** A volume that went from host-a to host-b an instant ago, and keeps its source for an hour. */

const HOUR_MS = 3_600_000;
const MADE = anObject(runObjectName(VOLUME_ID, MIGRATION_ID, 1), DESTINATION);
const KEPT = aRetained({ expiresAtMs: START_MS + HOUR_MS });
const OUTCOME: Outcome = {
  migrationId: MIGRATION_ID,
  run: 1,
  atMs: START_MS,
  result: 'success',
  proof: { kind: 'digest', digest: 'd', writeEpoch: 0, generation: 1 },
  source: SOURCE_OBJECT,
};
const MOVED: Partial<Volume> = {
  location: MADE,
  placement: DESTINATION,
  retained: [KEPT],
  lastOutcome: OUTCOME,
  migrationStatus: 'success',
};
const COPYING = aMigration({
  options: { ...OPTIONS, sourceRetentionSeconds: HOUR_MS / 1000 },
  stage: { state: 'running', phase: 'finalizing', phaseSinceMs: START_MS },
  jobsEnded: true,
});
const ENDED = {
  ...written(endMigration({ outcome: OUTCOME, report: null, who: 'execution', nowMs: START_MS })(COPYING)),
  endedTold: true,
  jobsEnded: true,
};

const scene = async (change: Partial<Volume> = {}, records?: Records, migration = ENDED): Promise<World> => {
  const world = createWorld(records);
  await withHosts(world);
  await withVolume(world, { ...MOVED, ...change });
  await world.store.migrations.create(migration);
  return world;
};
const restore = (world: World, argument: object | null = {}, token?: string): Promise<Answer> =>
  world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, {
    body: { restore: argument },
    ...(token === undefined ? {} : { token }),
  });
const now = (world: World): Promise<Volume> => volumeNow(world, { id: VOLUME_ID });
const codeOf = ({ body }: Answer): string => (Object.values(body)[0] as { error_code: string }).error_code;
const messageOf = ({ body }: Answer): string => (Object.values(body)[0] as { message: string }).message;
const reserve = (world: World): Promise<Answer> => world.act(VOLUME_ID, { 'os-reserve': null });
const unreserve = (world: World): Promise<Answer> => world.act(VOLUME_ID, { 'os-unreserve': null });

describe('what is kept of a migration', () => {
  it('is shown with where it is and until when, alone and in the list', async () => {
    const world = await scene();

    const { migration } = await show(world);
    const { migrations } = (await world.ask('GET', '/v3/migrations')).body;

    const kept = {
      role: 'source',
      object: SOURCE_OBJECT.objectName,
      host: 'host-a@files#ssd',
      until: '2026-01-01T01:00:00.000Z',
    };
    expect(migration).toMatchObject({ kept: [kept], restored_at: null, volume_at: 'host-b@files#ssd' });
    expect(migrations).toMatchObject([{ kept: [kept] }]);
  });

  it('is asked for with the migration, and so is that it is wiped', async () => {
    const world = createWorld();
    await withHosts(world);
    await withVolume(world);

    const { body } = await native(world, { source_retention_seconds: 60, wipe: true });

    const stored = await world.store.migrations.get(body.migration.id);
    expect(stored?.options).toMatchObject({ sourceRetentionSeconds: 60, wipe: true });
    expect(body.migration).toMatchObject({ wipe: true, kept: [] });
  });
});

describe('restore over HTTP', () => {
  it('brings the volume back, and shows when, where it lives now and what is being removed', async () => {
    const world = await scene();

    const answer = await restore(world);

    expect(answer).toMatchObject({
      status: 202,
      body: {
        migration: {
          state: 'succeeded',
          restored_at: '2026-01-01T00:00:00.000Z',
          volume_at: 'host-a@files#ssd',
          kept: [],
          cleanup: { left: [{ object: MADE.objectName, host: 'host-b@files#ssd' }] },
        },
      },
    });
    expect(answer.body.migration.story.at(-1)).toMatchObject({
      who: 'root',
      to: 'restored',
      why: 'back at its source',
    });
    const volume = await world.ask('GET', `/v3/volumes/${VOLUME_ID}`);
    expect(volume.body.volume).toMatchObject({
      'os-vol-host-attr:host': 'host-a@files#ssd',
      migration_status: null,
      status: 'available',
    });
  });

  it.each([null, {}, { discard_changes: null }, { discard_changes: false }])('takes %j', async (argument) => {
    expect((await restore(await scene(), argument)).status).toBe(202);
  });

  it.each([{ discard_changes: 'yes' }, { more: 1 }, []])('takes no %j', async (argument) => {
    const world = await scene();

    expect((await restore(world, argument)).status).toBe(400);
    expect((await now(world)).location).toEqual(MADE);
  });

  it('is for administrators alone', async () => {
    expect((await restore(await scene(), {}, MEMBER)).status).toBe(403);
  });

  it('again changes nothing, also when the volume is in use by then', async () => {
    const world = await scene();
    await restore(world);
    await reserve(world);
    const before = await now(world);

    const again = await restore(world);

    expect(again.status).toBe(202);
    expect(await now(world)).toEqual(before);
    expect(again.body.migration.story.filter(({ to }: { to: string }) => to === 'restored')).toHaveLength(1);
  });

  it('asks for discard_changes when a guest had the volume since', async () => {
    const world = await scene();
    await reserve(world);
    await unreserve(world);

    const refused = await restore(world);
    const done = await restore(world, { discard_changes: true });

    expect([refused.status, codeOf(refused)]).toEqual([409, 'ChangesSinceMigration']);
    expect(messageOf(refused)).toContain('may have been written to');
    expect(done.status).toBe(202);
    expect(done.body.migration.story.at(-1).why).toContain('is discarded');
  });

  it('settles the last outcome first, when its execution has not', async () => {
    const world = await scene({}, undefined, COPYING);

    const answer = await restore(world);

    expect(answer.status).toBe(202);
    expect((await world.store.migrations.get(MIGRATION_ID))?.stage.state).toBe('succeeded');
    expect((await now(world)).location).toEqual(SOURCE_OBJECT);
  });

  it.each([
    ['is over', { retained: [{ ...KEPT, expiresAtMs: START_MS }] }, 'was kept until 2026-01-01T00:00:00.000Z'],
    ['was never kept', { retained: [] }, 'is not kept any more'],
    ['is too small', { sizeBytes: SOURCE_OBJECT.sizeBytes + 1 }, 'would cut it short'],
  ])('says why there is no going back to a source that %s', async (_what, change, why) => {
    const answer = await restore(await scene(change), { discard_changes: true });

    expect([answer.status, codeOf(answer)]).toEqual([409, 'CannotRestore']);
    expect(messageOf(answer)).toContain(why);
  });

  it('of a migration that has not succeeded, or is unknown, or whose volume is gone, is refused', async () => {
    const reason = { code: 'Cancelled', message: 'It was.', remedy: 'None.' } as const;
    const failed = { ...ENDED, stage: { state: 'failed', endedAtMs: START_MS, reason } } as const;

    const answers = [
      await restore(await scene({ lastOutcome: null }, undefined, failed)),
      await restore(createWorld()),
      await restore(await scene({ id: '99999999-9999-4999-8999-999999999999' })),
    ];

    expect(answers.map(codeOf)).toEqual(['CannotRestore', 'MigrationNotFound', 'VolumeNotFound']);
  });

  it.each([
    ['down', { stoppedAtMs: START_MS }, 'whose host is down: start its agent first'],
    ['without that pool', { backends: [] }, 'which is offline'],
  ])('does not give up what is there for a source whose host is %s', async (_what, change, why) => {
    const world = await scene();
    await world.store.hosts.apply([SOURCE.hostId], (host) => write({ ...host, ...change }));

    const answer = await restore(world);

    expect(codeOf(answer)).toBe('CannotRestore');
    expect(messageOf(answer)).toContain(why);
    expect((await now(world)).location).toEqual(MADE);
  });
});

describe('restore and somebody else at once', () => {
  /** Runs `meanwhile` once, just before the first write to the volume. */
  const disturbed = (records: Records): { records: Records; meanwhile: { act: () => Promise<unknown> } } => {
    const meanwhile = { act: async (): Promise<unknown> => undefined };
    let done = false;
    const put: Records['put'] = async (item, rev) => {
      if (!done && item.sk === 'VOLUME' && rev > 0) {
        done = true;
        await meanwhile.act();
      }
      return records.put(item, rev);
    };
    return { records: { ...records, put }, meanwhile };
  };
  const race = async (first: (world: World) => Promise<Answer>, second: (world: World) => Promise<Answer>) => {
    const shared = memoryRecords();
    const { records, meanwhile } = disturbed(shared);
    const world = await scene({}, shared);
    const slow = createWorld(records);
    let inBetween: Answer | undefined;
    meanwhile.act = async () => {
      inBetween = await first(world);
    };
    const late = await second(slow);
    return { early: inBetween as Answer, late, volume: await now(world) };
  };
  const toC = (world: World): Promise<Answer> => native(world, { destination: 'host-a@files#hdd' });
  const restoring = (world: World): Promise<Answer> => restore(world, { discard_changes: true });

  it('a guest that is given the volume first keeps it where it is', async () => {
    const { early, late, volume } = await race(reserve, restore);

    expect([early.status, late.status, codeOf(late)]).toEqual([202, 409, 'CannotRestore']);
    expect(volume).toMatchObject({ status: 'attaching', location: MADE, retained: [KEPT] });
  });

  it('a guest that comes second is given the source', async () => {
    const { early, late, volume } = await race(restore, reserve);

    expect([early.status, late.status]).toEqual([202, 202]);
    expect(volume).toMatchObject({ status: 'attaching', location: SOURCE_OBJECT, claim: null });
  });

  it('a migration that claims it first has it', async () => {
    const { early, late, volume } = await race(toC, restoring);

    expect([early.status, late.status, codeOf(late)]).toEqual([202, 400, 'VolumeClaimed']);
    expect(volume).toMatchObject({ location: MADE, claim: { destination: { pool: 'hdd' } }, retained: [KEPT] });
  });

  it('a migration that comes second is refused: the volume is not where it starts from', async () => {
    const { early, late, volume } = await race(restoring, toC);

    expect([early.status, late.status]).toEqual([202, 400]);
    expect(volume).toMatchObject({ location: SOURCE_OBJECT, claim: null });
  });

  it('a delete that comes first takes the source with it; one that comes second takes what is left', async () => {
    const remove = (world: World): Promise<Answer> => world.ask('DELETE', `/v3/volumes/${VOLUME_ID}`);

    const before = await race(remove, restore);
    const after = await race(restore, remove);

    expect(before.late.status).toBe(409);
    for (const { volume } of [before, after]) {
      expect(volume).toMatchObject({ location: null, retained: [] });
      expect(volume.cleanup.map(({ objectName }) => objectName).sort()).toEqual(
        [SOURCE_OBJECT.objectName, MADE.objectName].sort(),
      );
    }
  });
});

describe('a restore whose API dies', () => {
  /** The writes up to the n-th happen; then nobody is there any more. */
  const diesBeforeWrite = (records: Records, n: number): Records => {
    let writes = 0;
    return {
      ...records,
      put: (item, rev) => (++writes >= n ? Promise.reject(new Error('dead')) : records.put(item, rev)),
    };
  };
  /** From a migration that nobody has settled: its end, the volume, and the line in the story. */
  const dies = async (n: number) => {
    const shared = memoryRecords();
    const world = await scene({}, shared, COPYING);
    const answer = await restore(createWorld(diesBeforeWrite(shared, n)));
    return { world, answer };
  };

  it.each([1, 2])(
    'before the volume has changed (write %i) has changed nothing that counts; asked again it is done',
    async (n) => {
      const { world, answer } = await dies(n);
      const before = await now(world);

      const again = await restore(world);

      expect(answer.status).toBe(500);
      expect(before.location).toEqual(MADE);
      expect(again.body.migration).toMatchObject({ volume_at: 'host-a@files#ssd' });
    },
  );

  it('after the volume has changed is told of all the same, at once and in the story', async () => {
    const { world, answer } = await dies(3);
    const shown = (await show(world)).migration;

    world.clock.advanceMs(2_000);
    await sweep(world.deps)({ full: false });
    const swept = (await show(world)).migration;

    expect(answer.status).toBe(500);
    expect(shown).toMatchObject({ restored_at: '2026-01-01T00:00:00.000Z', volume_at: 'host-a@files#ssd' });
    expect(shown.story.at(-1).to).toBe('succeeded');
    expect(swept).toMatchObject({ restored_at: shown.restored_at, volume_at: 'host-a@files#ssd' });
    expect(swept.story.filter(({ to }: { to: string }) => to === 'restored')).toMatchObject([{ who: 'root' }]);
    expect((await now(world)).retained).toEqual([]);
    const [job] = await world.store.jobs.ofHost(DESTINATION.hostId);
    expect(job).toMatchObject({ kind: 'object.remove', input: { objectName: MADE.objectName } });
  });
});
