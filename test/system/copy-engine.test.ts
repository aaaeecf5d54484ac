import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openChildJournal } from '../../host-agent/journal/children.ts';
import { type Rig, startRig, until } from './rig.ts';

const BY_DD = { destination: 'alpha@files#spare', copy_engine: 'dd' };

/** Where the output of a process is; a probe has none. */
const positionOf = async (pid: number): Promise<number> =>
  Number(/^pos:\s*(\d+)/.exec(await readFile(`/proc/${pid}/fdinfo/1`, 'utf8'))?.[1]);

describe('a volume migrates by dd, within one host', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig(['alpha', 'beta'], {}, ['main', 'spare']);
  });
  afterAll(() => rig?.stop());

  const place = async (id: string): Promise<string | null> => (await rig.volume(id))['os-vol-host-attr:host'];
  const objectsOf = async (id: string): Promise<string[]> => (await rig.objects()).filter((name) => name.includes(id));

  it('ends with the same content, proven by both digests, and thin', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const before = await rig.content(id);

    const ended = await rig.ended(await rig.migrate(id, 'alpha', BY_DD));

    expect(ended).toMatchObject({ state: 'succeeded', reason: null, copy_engine: 'dd' });
    expect(ended.digests?.source).toBe(ended.digests?.destination);
    expect(await place(id)).toBe('alpha@files#spare');
    expect(await rig.content(id)).toBe(before);
    expect((await stat(await rig.path(id))).blocks * 512).toBeLessThan(128 * 1024 * 1024);
    expect(await objectsOf(id)).toHaveLength(1);
  });

  it('is done again from zero after its agent was killed, whose dd is gone with it', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 128);
    const before = await rig.content(id);
    const journal = await openChildJournal(rig.dataDir('alpha'));
    const migration = await rig.migrate(id, 'alpha', BY_DD);
    const dd = await until('a dd copies', async () => {
      const [child] = await journal.all();
      return child && (await positionOf(child.pid)) > 0 && child;
    });
    process.kill(dd.pid, 'SIGSTOP');

    await rig.kill('alpha');
    await until('dd is gone', async () => !(await stat(`/proc/${dd.pid}`).catch(() => undefined)));
    await rig.start('alpha');
    const ended = await rig.ended(migration);

    expect(ended).toMatchObject({ state: 'succeeded', reason: null });
    expect(ended.digests?.source).toBe(ended.digests?.destination);
    expect(await rig.content(id)).toBe(before);
    expect(await objectsOf(id)).toHaveLength(1);
    expect(await journal.all()).toEqual([]);
  });

  it('stays where it is when it is cancelled in the middle, and nothing is left', async () => {
    const id = await rig.create('alpha');
    await rig.fill(id, 32);
    const before = await rig.content(id);
    const migration = await rig.migrate(id, 'alpha', BY_DD);
    await rig.inPhase(migration, 'copying');

    const cancelled = await rig.call('POST', `/migrations/${migration}/action`, { cancel: null });
    const ended = await rig.ended(migration);

    expect(cancelled.status).toBe(202);
    expect(ended).toMatchObject({ state: 'failed', reason: { code: 'Cancelled' } });
    expect(await place(id)).toBe('alpha@files#main');
    expect(await rig.content(id)).toBe(before);
    expect(await objectsOf(id)).toHaveLength(1);
  });

  it('to another host is refused, with what to do', async () => {
    const id = await rig.create('alpha');

    const answer = await rig.call('POST', '/migrations', {
      migration: { volume_id: id, destination: 'beta@files#main', copy_engine: 'dd' },
    });

    expect(answer).toMatchObject({
      status: 400,
      body: { badRequest: { message: expect.stringContaining('it copies within one host only') } },
    });
  });
});
