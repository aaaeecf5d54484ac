import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import type { Child, Children } from '../../../host-agent/children/child.ts';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import type { BackendMove, BackendMoves, MoveState } from '../../../host-agent/drivers/moves.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import type { Cluster } from './cluster.ts';
import { aPool, describeCeph, driverFor, type Faults, MIB, NEVER } from './rig.ts';

const SOURCE = 'volume-11111111-1111-4111-8111-111111111111-create-1';
const DESTINATION = 'volume-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222-1';
/** An object of Ceph's has 4 MiB: the copy has many steps. */
const SIZE_BYTES = 256 * MIB;
const STEP_BYTES = 4 * MIB;

interface Scene {
  readonly cluster: Cluster;
  readonly driver: Driver;
  readonly moves: BackendMoves;
  readonly move: BackendMove;
  readonly a: string;
  readonly b: string;
  readonly digest: string;
  /** The children that were started, the last one last. */
  readonly children: readonly Child[];
  restarted(): Promise<BackendMoves>;
}

const movesOf = (driver: Driver): BackendMoves => {
  if (!driver.moves) throw new Error('The driver makes no moves.');
  return driver.moves;
};

const contentOf = async (driver: Driver, pool: string, objectName: string): Promise<string> => {
  const { device } = await driver.open({ pool, objectName }, 'ro', NEVER);
  try {
    const content = Buffer.alloc(device.sizeBytes);
    await device.read(0, content);
    return createHash('sha256').update(content).digest('hex');
  } finally {
    await device.close();
  }
};

const filled = async (driver: Driver): Promise<string> => {
  await driver.create({ pool: 'a', objectName: SOURCE, sizeBytes: SIZE_BYTES }, NEVER);
  const { device } = await driver.open({ pool: 'a', objectName: SOURCE }, 'rw', NEVER);
  for (let at = 0; at < SIZE_BYTES; at += STEP_BYTES) await device.write(at, Buffer.alloc(65_536, at / STEP_BYTES + 1));
  await device.flush();
  await device.close();
  return contentOf(driver, 'a', SOURCE);
};

/** Two pools of one cluster, a volume with data in the first, and an agent's client that may use these two and nothing else. */
const scene = async (cluster: Cluster, faults: (children: Child[]) => Faults = () => ({})): Promise<Scene> => {
  const dataDir = await tempDir();
  const [a, b] = [await aPool(cluster), await aPool(cluster)];
  const keyring = await cluster.client(`mover-${a}`, {
    mon: 'profile rbd',
    osd: `profile rbd pool=${a}, profile rbd pool=${b}`,
  });
  const settings = {
    conf: cluster.conf,
    client: `mover-${a}`,
    keyring,
    pools: [
      { name: 'a', pool: a },
      { name: 'b', pool: b },
    ],
  };
  const children: Child[] = [];
  const recording = (real: Children): Children => ({
    async start(command) {
      const child = await real.start(command);
      if (command.args.includes('execute')) children.push(child);
      return child;
    },
  });
  const { children: broken = (real: Children) => real, ...others } = faults(children);
  const driver = await driverFor(settings, dataDir, { ...others, children: (real) => broken(recording(real)) });
  const digest = await filled(driver);
  const source = await driver.find({ pool: 'a', objectName: SOURCE }, NEVER);
  if (!source) throw new Error('There is no source.');
  return {
    cluster,
    driver,
    moves: movesOf(driver),
    a,
    b,
    digest,
    children,
    move: {
      source: { pool: 'a', objectName: SOURCE, objectId: source.objectId },
      destination: { pool: 'b', objectName: DESTINATION },
      sizeBytes: SIZE_BYTES,
    },
    restarted: async () => movesOf(await driverFor(settings, dataDir)),
  };
};

const until = async (
  moves: BackendMoves,
  move: BackendMove,
  state: MoveState['state'],
): Promise<{ last: MoveState; percents: number[] }> => {
  const percents: number[] = [];
  for (let tries = 0; tries < 600; tries++) {
    const last = await moves.poll(move, NEVER);
    if (last.state === 'running' && last.percent !== null) percents.push(last.percent);
    if (last.state === state) return { last, percents };
    if (last.state === 'failed') throw new Error(last.reason);
    await sleep(100);
  }
  throw new Error(`It was never ${state}.`);
};

/** It hangs in mid-copy, as soon as it has said how far it is. */
const frozenExecution = (): Faults => ({
  children: (real) => ({
    async start(command) {
      let freeze = (): void => undefined;
      const child = await real.start({
        ...command,
        onStderr: (text) => {
          if (/[1-9]\d?% complete/.test(text)) freeze();
          command.onStderr?.(text);
        },
      });
      if (command.args.includes('execute')) freeze = () => child.signal('SIGSTOP');
      return child;
    },
  }),
});

/** Resolves when it hangs. */
const untilMidCopy = async ({ cluster, moves, move, b }: Scene): Promise<MoveState> => {
  for (let tries = 0; tries < 100; tries++) {
    const state = await moves.poll(move, NEVER);
    if (state.state === 'running' && state.percent !== null && state.percent > 0) {
      const status = JSON.parse(await cluster.rbd('status', `${b}/${DESTINATION}`, '--format', 'json'));
      expect(status.migration.state).toBe('executing');
      expect(status.watchers).toHaveLength(1);
      return state;
    }
    await sleep(100);
  }
  throw new Error('It was never in mid-copy.');
};

const namesIn = async ({ cluster }: Scene, pool: string): Promise<unknown> =>
  JSON.parse(await cluster.rbd('ls', pool, '--format', 'json'));
const trashOf = async ({ cluster }: Scene, pool: string): Promise<unknown> =>
  JSON.parse(await cluster.rbd('trash', 'ls', '--all', pool, '--format', 'json'));

/** The source as it was before, and nothing anywhere else. */
const expectUntouched = async (one: Scene): Promise<void> => {
  const { driver, move, digest } = one;
  expect(await driver.find({ pool: 'a', objectName: SOURCE }, NEVER)).toEqual({
    objectId: move.source.objectId,
    sizeBytes: SIZE_BYTES,
  });
  expect(await contentOf(driver, 'a', SOURCE)).toBe(digest);
  expect([await namesIn(one, one.a), await namesIn(one, one.b)]).toEqual([[SOURCE], []]);
  expect([await trashOf(one, one.a), await trashOf(one, one.b)]).toEqual([[], []]);
};

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
      runTool: (real) => async (tool, signal) => {
        const end = await real(tool, signal);
        if (!lose || !tool.args.includes('prepare')) return end;
        lose = false;
        throw new Error('the answer was lost');
      },
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

    const replaced = await reasonOf({ moves, move: { ...move, source: { ...move.source, objectId: 'another' } } });
    const missing = await reasonOf({ moves, move: { ...move, source: { ...move.source, objectName: 'gone' } } });
    await ceph.rbd('create', `${one.b}/${DESTINATION}`, '--size', '1M');
    const taken = await reasonOf(one);
    await ceph.rbd('rm', '--no-progress', `${one.b}/${DESTINATION}`);
    const { device } = await driver.open(move.source, 'ro', NEVER);
    const watched = await reasonOf(one);
    const error = await refusalOf(moves.start(move, NEVER));
    await device.close();

    expect(replaced).toContain('somebody replaced it');
    expect(missing).toContain('is not in');
    expect(taken).toContain('already');
    expect(watched).toContain('has it open');
    expect(error.message).toContain(watched);
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
    await sleep(2_000);

    expect(await reasonOf(one)).toContain('quota');
    await refusalOf(moves.start(move, NEVER));
    await expectUntouched(one);
    onTestFinished(async () => void (await ceph.ceph('osd', 'pool', 'set-quota', b, 'max_bytes', '0')));
  });
});
