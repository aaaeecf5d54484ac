import { describe, expect, it } from 'vitest';
import { wishBandwidth, wishPause } from '../../domain/migration/wishes.ts';
import type { MigrationOptions } from '../../domain/volume/volume.ts';
import { dispatchCopy } from '../../functions/workflow/dispatch/move.ts';
import { START_MS } from '../helpers/clock.ts';
import { aHost, aJob, aMigration, aPoolReport, aVolume, OPTIONS, SOURCE_OBJECT } from '../helpers/factories.ts';
import { refusedBy } from '../helpers/refusal.ts';
import { native, PREFIX, TO_B } from './migrate-helpers.ts';
import { createWorld, volumeNow, type World, withVolume } from './world.ts';

const TO_HDD = 'host-a@files#hdd';
const DD = { copy_engine: 'dd' };
const REMEDY = 'Leave copy_engine out: volmove’s own engine copies between any two places, and keeps to limits.';

/** host-a with pools ssd and hdd, and host-b; what is in a pool has a path, or not. */
const world = async (paths: { ssd?: string | null; hdd?: string | null } = {}): Promise<World> => {
  const made = createWorld();
  const pool = (name: string, devicePath: string | null, poolId: string) => aPoolReport({ name, devicePath, poolId });
  const { ssd = '/ssd/{object}', hdd = '/hdd/{object}' } = paths;
  const backend = { name: 'files', driver: 'file', migrationProgressReport: false };
  const pools = [pool('ssd', ssd, 'pool-s'), pool('hdd', hdd, 'pool-h')];
  await made.store.hosts.create(aHost('host-a', { backends: [{ ...backend, pools }] }));
  await made.store.hosts.create(aHost('host-b', { backends: [{ ...backend, pools: [pool('ssd', '/b', 'pool-b')] }] }));
  await withVolume(made);
  return made;
};

describe('a migration by dd', () => {
  it('within one host is accepted, and says so', async () => {
    const made = await world();

    const answer = await native(made, { destination: TO_HDD, ...DD });

    expect(answer).toMatchObject({ status: 202, body: { migration: { copy_engine: 'dd' } } });
    expect((await volumeNow(made, aVolume())).claim?.options.copyEngine).toBe('dd');
  });

  it.each([{}, { copy_engine: null }, { copy_engine: 'volmove' }])('is not what %j means', async (asked) => {
    const made = await world();

    const answer = await native(made, { destination: TO_HDD, ...asked });

    expect(answer.body.migration.copy_engine).toBe('volmove');
    expect((await volumeNow(made, aVolume())).claim?.options).not.toHaveProperty('copyEngine');
  });

  it.each<[string, object, Parameters<typeof world>[0], string]>([
    [
      'to another host',
      { destination: TO_B },
      {},
      'it copies within one host only, and the volume would go from host-a to host-b',
    ],
    [
      'with a limit',
      { destination: TO_HDD, bandwidth_bytes_per_second: 1_000_000 },
      {},
      'a bandwidth is asked for, and dd knows no limit: leave one of the two out',
    ],
    [
      'from a pool without paths',
      { destination: TO_HDD },
      { ssd: null },
      'what is in host-a@files#ssd has no path on its host',
    ],
    [
      'to a pool without paths',
      { destination: TO_HDD },
      { hdd: null },
      'what is in host-a@files#hdd has no path on its host',
    ],
  ])('%s is refused before anything is written, and a dry run says the same', async (_, asked, paths, why) => {
    const made = await world(paths);
    const message = `The copy engine dd cannot make this copy: ${why}.`;

    const answer = await native(made, { ...asked, ...DD });
    const dryRun = await native(made, { ...asked, ...DD, dry_run: true });

    expect(answer).toMatchObject({ status: 400, body: { badRequest: { message: PREFIX + message } } });
    expect(dryRun.body.checks).toContainEqual({ name: 'copy_engine', ok: false, message, remedy: REMEDY });
    expect(await made.store.migrations.all()).toEqual([]);
    expect((await volumeNow(made, aVolume())).claim).toBeNull();
  });

  it('that can be made passes its dry run, which is silent of an engine that nobody asked for', async () => {
    const made = await world();

    const asked = await native(made, { destination: TO_HDD, ...DD, dry_run: true });
    const silent = await native(made, { destination: TO_HDD, dry_run: true });
    const unknown = await native(made, { destination: 'host-c@files', ...DD, dry_run: true });

    expect(asked.body.checks.at(-1)).toMatchObject({ name: 'copy_engine', ok: true });
    expect(silent.body.checks.map((check: { name: string }) => check.name)).not.toContain('copy_engine');
    expect(unknown.body.checks.at(-1)).toMatchObject({ name: 'copy_engine', ok: false });
  });

  it('is the only other engine there is', async () => {
    const answer = await native(await world(), { destination: TO_HDD, copy_engine: 'rsync' });

    expect(answer).toMatchObject({ status: 400 });
    expect(answer.body.badRequest.message).toContain('copy_engine');
  });

  it('is a different request to an Idempotency-Key', async () => {
    const made = await world();
    const key = { 'idempotency-key': 'k' };
    await native(made, { destination: TO_HDD, ...DD }, key);

    const same = await native(made, { destination: TO_HDD, ...DD }, key);
    const other = await native(made, { destination: TO_HDD }, key);

    expect([same.status, other.status]).toEqual([202, 422]);
  });

  it('can be paused while it runs, but not limited', () => {
    const options: MigrationOptions = { ...OPTIONS, copyEngine: 'dd' };
    const migration = aMigration({ options, stage: { state: 'running', phase: 'copying', phaseSinceMs: START_MS } });

    expect(wishPause('root', START_MS)(migration)).toMatchObject({ kind: 'write' });
    expect(refusedBy(wishBandwidth(1, 'root', START_MS)(migration)).message).toContain(
      'dd copies it, which knows no limit',
    );
  });
});

describe('the copy’s job', () => {
  it.each([
    ['dd', { ...OPTIONS, copyEngine: 'dd' as const }],
    [undefined, OPTIONS],
  ])('is told of the engine: %s', async (engine, options) => {
    const made = await world();
    const volume = aVolume({
      claim: {
        migrationId: aMigration().id,
        run: 1,
        fence: 1,
        lock: false,
        phase: 'moving',
        destination: { hostId: 'host-a', backend: 'files', pool: 'hdd' },
        options,
        previousStatus: 'available',
        rollback: null,
        claimedAtMs: START_MS,
      },
    });
    const { value: migration } = await made.store.migrations.create(
      aMigration({ options, stage: { state: 'running', phase: 'preparing', phaseSinceMs: START_MS } }),
    );
    const result = { object: SOURCE_OBJECT, zero: true, address: 'host-a:1', fingerprint: 'f' };
    await made.store.jobs.create(
      aJob(
        { stage: { state: 'succeeded', endedAtMs: START_MS, result } },
        {
          kind: 'destination.prepare',
          input: { objectName: 'o', place: SOURCE_OBJECT, sizeBytes: 1, admitFingerprint: 'f' },
        },
      ),
    );

    await dispatchCopy(made.deps)(
      { migration, volume: volume as Parameters<ReturnType<typeof dispatchCopy>>[0]['volume'] },
      { token: 't', enteredAtMs: START_MS, retryCount: 0 },
    );

    const job = await made.store.jobs.get('host-a', `${migration.id}.1.data.copy`);
    expect(job?.kind === 'data.copy' && job.input.engine).toBe(engine);
  });
});
