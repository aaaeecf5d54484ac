import { describe, expect, it } from 'vitest';
import { removalJobId } from '../../domain/cleanup.ts';
import { takeJob } from '../../domain/job/steps.ts';
import { wishCancel } from '../../domain/migration/run.ts';
import { wishBandwidth, wishPause } from '../../domain/migration/wishes.ts';
import { reserve } from '../../domain/volume/guest.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { MIGRATION_ID, VOLUME_ID } from '../helpers/factories.ts';
import { COPIED, createRig, endJob, jobId, type Rig, wasThere } from '../helpers/rig.ts';
import { walkTo } from './walk.ts';

const NAME = `${MIGRATION_ID}-1`;
const _FAILED = { state: 'FAILED', cause: 'stopped by hand' } as const;
const pass = ({ deps }: Rig) => sweep(deps)({ full: false });
const beat = async ({ deps, clock }: Rig, ...ids: string[]): Promise<void> => {
  for (const id of ids) {
    await deps.store.hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, heartbeatAtMs: clock.nowMs() } }));
  }
};
const _later = async (rig: Rig, ms = 60_000): Promise<void> => {
  rig.clock.advanceMs(ms);
  await beat(rig, 'host-a', 'host-b', 'host-c');
};
const COPY = ['host-a', jobId('data.copy')] as const;
const abort = ({ deps, clock }: Rig): Promise<unknown> => deps.store.volumes.apply([VOLUME_ID], reserve(clock.nowMs()));

describe('jobs', () => {
  const copying = async (): Promise<Rig> => {
    const rig = await createRig();
    rig.executions.set(NAME, { state: 'RUNNING', cause: '' });
    await walkTo(rig, 'agent ends data.copy');
    rig.tasks.answers.length = 0;
    return rig;
  };
  const take = ({ deps, clock }: Rig): Promise<unknown> =>
    deps.store.jobs.apply([...COPY], takeJob('host-a-1', 0, clock.nowMs()));

  it('of a host that is gone fail, and whoever waits for them is told', async () => {
    const rig = await copying();
    await take(rig);
    rig.clock.advanceMs(15_000);
    await beat(rig, 'host-b');
    await wasThere(rig);

    await pass(rig);

    expect((await rig.deps.store.jobs.get(...COPY))?.stage).toMatchObject({
      state: 'failed',
      failure: { code: 'HostLost' },
    });
    expect(rig.tasks.answers).toMatchObject([{ token: 'data.copy/1/0', ok: false, failure: { code: 'HostLost' } }]);
  });

  it('of a host that is only late go on', async () => {
    const rig = await copying();
    await take(rig);
    rig.clock.advanceMs(14_999);
    await beat(rig, 'host-b');
    await wasThere(rig);

    await pass(rig);

    expect((await rig.deps.store.jobs.get(...COPY))?.stage.state).toBe('running');
  });

  it('that have ended unheard are told again', async () => {
    const rig = await copying();
    await endJob(rig, ...COPY, { result: COPIED });

    await pass(rig);
    await pass(rig);

    expect(rig.tasks.answers).toMatchObject([{ token: 'data.copy/1/0', ok: true }]);
  });

  it('of a run that has lost its claim are cancelled, and a state that still waits for one is told', async () => {
    const rig = await copying();
    await abort(rig);

    await pass(rig);

    expect((await rig.deps.store.jobs.get(...COPY))?.stage).toMatchObject({
      state: 'failed',
      failure: { code: 'ClaimLost' },
    });
    expect(rig.tasks.answers.at(-1)).toMatchObject({ token: 'data.copy/1/0', ok: false });
  });

  it('of a run that has lost its claim are cancelled by their agent when it has them', async () => {
    const rig = await copying();
    await take(rig);
    await abort(rig);
    rig.queues.looks.length = 0;

    await pass(rig);

    expect(await rig.deps.store.jobs.get(...COPY)).toMatchObject({
      control: { cancel: true },
      stage: { state: 'running' },
    });
    expect(rig.queues.looks).toEqual(['host-a']);
  });

  it('whose cancel nobody has passed on hear of it', async () => {
    const rig = await copying();
    await take(rig);
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishCancel('admin', rig.clock.nowMs()));

    await pass(rig);

    expect((await rig.deps.store.jobs.get(...COPY))?.control.cancel).toBe(true);
  });

  it('whose pause or limit nobody has passed on hear of it, and only they', async () => {
    const rig = await copying();
    await take(rig);
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishPause('admin', rig.clock.nowMs()));
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishBandwidth(7, 'admin', rig.clock.nowMs()));
    rig.queues.looks.length = 0;

    await pass(rig);
    await pass(rig);

    expect((await rig.deps.store.jobs.get(...COPY))?.control).toMatchObject({
      paused: true,
      bandwidthBytesPerSecond: 7,
    });
    expect((await rig.deps.store.jobs.get('host-b', jobId('destination.prepare')))?.control.paused).toBe(false);
    expect(rig.queues.looks).toEqual(['host-a']);
  });

  it('whose pause has lasted for its longest time go on by themselves', async () => {
    const rig = await copying();
    await take(rig);
    await rig.deps.store.migrations.apply([MIGRATION_ID], wishPause('admin', rig.clock.nowMs()));
    const seen: (boolean | undefined)[] = [];
    for (const ms of [0, 86_399_000, 1_000]) {
      rig.clock.advanceMs(ms);
      await beat(rig, 'host-a', 'host-b');
      await pass(rig);
      seen.push((await rig.deps.store.jobs.get(...COPY))?.control.paused);
    }

    const migration = await rig.migration();

    expect(seen).toEqual([true, true, false]);
    expect(migration.wishes.pause).toBeNull();
    expect(migration.story.at(-1)).toMatchObject({ who: 'sweeper', why: 'resumed: a pause ends after 86400 s' });
  });

  it('of a migration that has ended fail with their host all the same: an execution may still wait for one', async () => {
    const rig = await copying();
    await take(rig);
    await abort(rig);
    for (let n = 0; n < 3; n++) {
      rig.clock.advanceMs(4_000);
      await beat(rig, 'host-b');
      await pass(rig);
      const [entry] = (await rig.migration()).cleanup;
      const removal = entry && (await rig.deps.store.jobs.get('host-b', removalJobId(entry, 1)));
      if (removal?.stage.state === 'queued') await endJob(rig, 'host-b', removal.id, { result: { existed: true } });
    }

    for (let n = 0; n < 4; n++) {
      rig.clock.advanceMs(4_000);
      await beat(rig, 'host-b');
      await pass(rig);
    }

    expect((await rig.deps.store.jobs.get(...COPY))?.stage.state).toBe('failed');
    expect(rig.tasks.answers.map(({ token }) => token)).toContain('data.copy/1/0');
  });

  it('that remove something wait for their host for as long as it takes', async () => {
    const rig = await createRig();
    await walkTo(rig, 'agent removes');
    rig.clock.advanceMs(86_400_000);

    await pass(rig);
    await pass(rig);
    const [entry] = (await rig.migration()).cleanup;

    expect(entry).toMatchObject({ tries: 1, state: 'todo', lastFailure: null });
  });
});
