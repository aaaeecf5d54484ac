import { afterEach, describe, expect, it } from 'vitest';
import { type MigrationBody, type Rig, startRig, until } from './rig.ts';

const MIB = 1024 * 1024;

interface Adjusted extends MigrationBody {
  readonly paused: { readonly by: string } | null;
  readonly bandwidth_bytes_per_second: number | null;
  readonly progress:
    | (MigrationBody['progress'] & { readonly activity: string | null; readonly attempt: number })
    | null;
}

describe('a migration that is adjusted while it runs', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  const act = async (id: string, body: object): Promise<number> =>
    (await (rig as Rig).call('POST', `/migrations/${id}/action`, body)).status;
  const now = async (id: string): Promise<Adjusted> => (await (rig as Rig).migration(id)) as Adjusted;
  const doneBytes = async (id: string): Promise<number> => (await now(id)).progress?.done_bytes ?? 0;
  const settled = (id: string): Promise<Adjusted> =>
    until('it is paused', async () => {
      const found = await now(id);
      return found.progress?.activity === 'paused' && found;
    });

  it('is paused before its copy begins, survives both agents’ deaths paused, goes on faster, and arrives whole', async () => {
    rig = await startRig();
    const id = await rig.create('alpha');
    await rig.fill(id, 96);
    const before = await rig.content(id);
    const migration = await rig.migrate(id, 'beta', { lock: true, bandwidth_bytes_per_second: 4 * MIB });
    const early = await act(migration, { pause: {} });
    await settled(migration);
    const resumed = await act(migration, { resume: {} });
    await until('something is copied', async () => (await doneBytes(migration)) > 6 * MIB);

    const paused = await act(migration, { pause: {} });
    const held = await settled(migration);
    for (const agent of ['alpha', 'beta']) {
      await rig.kill(agent);
      await rig.start(agent);
    }
    const heldStill = await until('the next attempt is paused', async () => {
      const found = await now(migration);
      const { activity, attempt = 0 } = found.progress ?? {};
      return attempt > (held.progress?.attempt ?? 0) && activity === 'paused' && found;
    });
    const limited = await act(migration, { set_bandwidth: { bytes_per_second: 16 * MIB } });
    await act(migration, { resume: {} });
    await until('it moves', async () => (await doneBytes(migration)) > (held.progress?.done_bytes ?? 0));
    await rig.kill('alpha');
    await rig.start('alpha');
    await until(
      'it moves again',
      async () => (await doneBytes(migration)) > (held.progress?.done_bytes ?? 0) + 8 * MIB,
    );
    const lifted = await act(migration, { set_bandwidth: { bytes_per_second: null } });
    const ended = (await rig.ended(migration)) as Adjusted;

    expect([early, resumed, paused, limited, lifted]).toEqual([202, 202, 202, 202, 202]);
    expect(heldStill).toMatchObject({
      phase: 'copying',
      paused: { by: 'admin' },
      bandwidth_bytes_per_second: 4 * MIB,
      progress: { activity: 'paused', done_bytes: held.progress?.done_bytes, rate_bytes_per_second: 0 },
    });
    expect(ended).toMatchObject({ state: 'succeeded', paused: null, bandwidth_bytes_per_second: null });
    expect(ended.digests?.source).toBe(ended.digests?.destination);
    expect(await rig.content(id)).toBe(before);
    expect(
      ended.story
        .map((entry) => entry.why)
        .filter((why) => why !== null)
        .slice(0, 6),
    ).toEqual(['paused', 'resumed', 'paused', 'limited to 16 MiB/s', 'resumed', 'limit lifted']);
    expect(await act(migration, { pause: {} })).toBe(409);
  });
});
