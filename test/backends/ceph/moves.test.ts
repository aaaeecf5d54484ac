import { expect, it, onTestFinished } from 'vitest';
import type { BackendMove } from '../../../host-agent/drivers/moves.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import {
  contentOf,
  DESTINATION,
  expectUntouched,
  frozenExecution,
  LONG_MS,
  movesOf,
  namesIn,
  type Scene,
  SIZE_BYTES,
  SOURCE,
  scene,
  trashOf,
  until,
  untilMidCopy,
} from './move-scene.ts';
import { describeCeph, driverFor, NEVER } from './rig.ts';

describeCeph('moves inside a cluster', (cluster) => {
  it('move an image with its content, its tag and its size, tell how far they are, and can be finished twice', async () => {
    const one = await scene(cluster());
    const { driver, moves, move, digest } = one;

    const able = await moves.canMove(move, NEVER);
    await moves.start(move, NEVER);
    await moves.start(move, NEVER);
    const { percents } = await until(moves, move, 'synchronised');
    const object = await moves.finish(move, NEVER);
    const again = await moves.finish(move, NEVER);

    expect(able).toEqual({ ok: true });
    expect(percents.length).toBeGreaterThan(0);
    expect(percents).toEqual(percents.toSorted((x, y) => x - y));
    expect(again).toEqual(object);
    expect(object).toEqual(await driver.find({ pool: 'b', objectName: DESTINATION }, NEVER));
    expect(object.objectId).not.toBe(move.source.objectId);
    expect(await contentOf(driver, 'b', DESTINATION)).toBe(digest);
    expect(await moves.poll(move, NEVER)).toEqual({ state: 'finished', object });
    expect([await namesIn(one, one.a), await trashOf(one, one.a)]).toEqual([[], []]);
    const { objects } = await driver.list({ pool: 'b', after: null, limit: 10 }, NEVER);
    expect(objects.map(({ objectName }) => objectName)).toEqual([DESTINATION]);
  });

  it('carry snapshots along, where a copy is refused', async () => {
    const one = await scene(cluster());
    const { driver, moves, move, cluster: ceph } = one;
    await ceph.rbd('snap', 'create', '--no-progress', `${one.a}/${SOURCE}@monday`);

    const copied = await refusalOf(driver.open(move.source, 'ro', NEVER));
    await moves.start(move, NEVER);
    await until(moves, move, 'synchronised');
    await moves.finish(move, NEVER);

    expect(copied.code).toBe('HasDependents');
    expect(copied.message).toContain('monday');
    expect(await ceph.rbd('snap', 'ls', `${one.b}/${DESTINATION}`)).toContain('monday');
  });

  it('are aborted before the copy, after it, and when nothing was begun, and leave nothing', async () => {
    const one = await scene(cluster());
    const { moves, move, cluster: ceph } = one;

    await moves.abort(move, NEVER);
    await expectUntouched(one);

    await ceph.rbd('migration', 'prepare', `${one.a}/${SOURCE}`, `${one.b}/${DESTINATION}`);
    await moves.abort(move, NEVER);
    await expectUntouched(one);

    await moves.start(move, NEVER);
    await until(moves, move, 'synchronised');
    await moves.abort(move, NEVER);
    await moves.abort(move, NEVER);
    await expectUntouched(one);
    expect(await moves.poll(move, NEVER)).toEqual({ state: 'none' });
  });

  it('are aborted in mid-copy: the one that copies is ended first', async () => {
    const one = await scene(cluster(), frozenExecution);
    const { moves, move, children } = one;
    await moves.start(move, NEVER);
    const before = await untilMidCopy(one);

    await moves.abort(move, NEVER);

    expect(before.state).toBe('running');
    expect(children.map((child) => child.isRunning())).toEqual([false]);
    await expectUntouched(one);
  });

  it('cannot be aborted when they are finished, nor finished before they are synchronised', async () => {
    const one = await scene(cluster());
    const { moves, move } = one;
    await one.cluster.rbd('migration', 'prepare', `${one.a}/${SOURCE}`, `${one.b}/${DESTINATION}`);
    const early = await refusalOf(moves.finish(move, NEVER));
    await moves.start(move, NEVER);
    await until(moves, move, 'synchronised');
    await moves.finish(move, NEVER);

    const late = await refusalOf(moves.abort(move, NEVER));

    expect(early.message).toContain('not synchronised');
    expect(late.message).toContain('finished already');
  });

  it('go on after a death of the agent in mid-copy', async () => {
    const one = await scene(cluster(), frozenExecution);
    const { moves, move, children, digest, driver } = one;
    await moves.start(move, NEVER);
    await untilMidCopy(one);
    // the kernel does that to the children of an agent that dies
    for (const child of children) child.signal('SIGKILL');
    await children.at(-1)?.ended;
    const after = await one.restarted();

    const recovered = await after.recover(move, NEVER);
    await until(after, move, 'synchronised');
    const object = await after.finish(move, NEVER);

    expect(recovered.state).toBe('running');
    expect(await contentOf(driver, 'b', DESTINATION)).toBe(digest);
    expect(object.sizeBytes).toBe(SIZE_BYTES);
  });

  it('are told after a restart from the cluster alone, in each of their states', async () => {
    const one = await scene(cluster());
    const { moves, move } = one;
    const recover = async () => (await (await one.restarted()).recover(move, NEVER)).state;

    const none = await recover();
    await moves.start(move, NEVER);
    await until(moves, move, 'synchronised');
    const executed = await recover();
    await moves.finish(move, NEVER);
    const committed = await recover();

    expect([none, executed, committed]).toEqual(['none', 'synchronised', 'finished']);
  });

  it('are begun once although the answer of the first time was lost', async () => {
    let lose = true;
    const one = await scene(cluster(), () => ({
      children: (real) => ({
        async start(command) {
          const child = await real.start(command);
          if (!lose || !command.args.includes('prepare')) return child;
          lose = false;
          const ended = child.ended.then(() => {
            throw new Error('the answer was lost');
          });
          ended.catch(() => undefined);
          return { ...child, ended };
        },
      }),
    }));
    const { moves, move } = one;

    await expect(moves.start(move, NEVER)).rejects.toThrow('lost');
    await moves.start(move, NEVER);
    await until(moves, move, 'synchronised');

    expect(await trashOf(one, one.a)).toMatchObject([{ name: SOURCE }]);
    await moves.abort(move, NEVER);
    await expectUntouched(one);
  });
});

describeCeph('a move inside a cluster that cannot be', (cluster) => {
  const reasonOf = async ({ moves, move }: Pick<Scene, 'moves' | 'move'>): Promise<string> => {
    const able = await moves.canMove(move, NEVER);
    return able.ok ? 'it can' : able.reason;
  };

  it('says why beforehand, and is refused in the same words', async () => {
    const one = await scene(cluster());
    const { driver, moves, move, cluster: ceph } = one;

    const asked = (source: Partial<BackendMove['source']>) =>
      refusalOf(moves.canMove({ ...move, source: { ...move.source, ...source } }, NEVER));
    const replaced = await asked({ objectId: 'another' });
    const missing = await asked({ objectName: 'gone' });
    await ceph.rbd('create', `${one.b}/${DESTINATION}`, '--size', '1M');
    const taken = await reasonOf(one);
    await ceph.rbd('rm', '--no-progress', `${one.b}/${DESTINATION}`);
    const { device } = await driver.open(move.source, 'ro', NEVER);
    const watched = await asked({});
    const error = await refusalOf(moves.start(move, NEVER));
    await device.close();

    expect([replaced.code, missing.code, watched.code]).toEqual(['ObjectBusy', 'ObjectMissing', 'ObjectBusy']);
    expect(replaced.message).toContain('somebody replaced it');
    expect(taken).toContain('already');
    expect(watched.message).toContain('has it open: detach or unmap it there');
    expect([error.code, error.message]).toEqual([watched.code, watched.message]);
    await expectUntouched(one);
  });

  it('says that clones depend on it', async () => {
    const one = await scene(cluster());
    const { cluster: ceph } = one;
    await ceph.rbd('snap', 'create', '--no-progress', `${one.a}/${SOURCE}@base`);
    await ceph.rbd('snap', 'protect', `${one.a}/${SOURCE}@base`);
    await ceph.rbd('clone', `${one.a}/${SOURCE}@base`, `${one.a}/child`);

    expect(await reasonOf(one)).toContain(`${one.a}/child`);
  });

  it('says that the client may not use the other pool, and leaves the source where it is', async () => {
    const one = await scene(cluster());
    const { cluster: ceph, a, b, move } = one;
    const keyring = await ceph.client(`half-${a}`, { mon: 'profile rbd', osd: `profile rbd pool=${a}` });
    const dataDir = await tempDir();
    const pools = [
      { name: 'a', pool: a },
      { name: 'b', pool: b },
    ];
    const moves = movesOf(await driverFor({ conf: ceph.conf, client: `half-${a}`, keyring, pools }, dataDir));

    expect(await reasonOf({ moves, move })).toContain('caps do not suffice');
    await refusalOf(moves.start(move, NEVER));
    await expectUntouched(one);
  });

  it('says that the other pool is full', async () => {
    const one = await scene(cluster(), frozenExecution);
    const { cluster: ceph, b, moves, move } = one;
    await ceph.ceph('osd', 'pool', 'set-quota', b, 'max_bytes', '1048576');

    await expect.poll(() => reasonOf(one), { timeout: LONG_MS, interval: 250 }).toContain('quota');
    await refusalOf(moves.start(move, NEVER));
    await expectUntouched(one);
    onTestFinished(async () => void (await ceph.ceph('osd', 'pool', 'set-quota', b, 'max_bytes', '0')));
  });
});
