import { describe, expect, it } from 'vitest';
import { asPutByHand, asUnmarked } from '../../../host-agent/drivers/rbd/headers.ts';
import { until } from '../../data-path/helpers/until.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { DESTINATION, type FakeChild, type FakeCluster, fakeCluster, MOVE, SOURCE } from './fake-cluster.ts';

/** What a move inside a cluster does where it was cut off, which the real cluster is for a moment only. */

const NEVER = new AbortController().signal;

const child = async ({ children }: FakeCluster, n: number): Promise<FakeChild> => {
  await until(`child ${n}`, () => children.length > n);
  return children[n] as FakeChild;
};

const isDone = async (act: Promise<unknown>): Promise<boolean> => {
  let done = false;
  const settled = (): void => {
    done = true;
  };
  act.then(settled, settled);
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  return done;
};

/** Up to the copying. */
const begun = async (cluster: FakeCluster, signal: AbortSignal = NEVER): Promise<FakeChild> => {
  const starting = cluster.moves.start(MOVE, signal);
  const prepare = await child(cluster, 0);
  Object.assign(cluster.standing, { source: 'gone', trash: true, destination: 'prepared' });
  prepare.end(0);
  await starting;
  return child(cluster, 1);
};

describe('an undo of a move that was not begun', () => {
  it('needs nothing of the other pool', async () => {
    const { moves, children } = fakeCluster({ pools: ['a'] });

    await moves.abort(MOVE, NEVER);

    expect(children).toEqual([]);
  });

  it('is none of one that was begun: the other pool is waited for', async () => {
    const { moves } = fakeCluster({ pools: ['a'], source: 'gone', trash: true, destination: 'prepared' });

    expect((await refusalOf(moves.abort(MOVE, NEVER))).code).toBe('BackendOffline');
  });
});

describe('a move that the cluster has left in the middle', () => {
  it.each([
    ['in the trash without a destination', { source: 'gone', trash: true } as const],
    ['back under its name, and still in the trash', { source: 'moving', trash: true } as const],
  ])('is undone by its source when that is %s', async (_, standing) => {
    const cluster = fakeCluster(standing);
    const { moves } = cluster;

    const seen = await moves.poll(MOVE, NEVER);
    const undoing = moves.abort(MOVE, NEVER);
    const abort = await child(cluster, 0);
    Object.assign(cluster.standing, { source: 'untouched', trash: false });
    abort.end(0);
    await undoing;

    expect(seen).toMatchObject({ state: 'failed', reason: expect.stringContaining('interrupted') });
    expect(abort.args).toEqual(['migration', 'abort', `a/${SOURCE}`]);
  });

  it('is finished when its commit was cut off, and by nobody else', async () => {
    const cluster = fakeCluster({ source: 'gone', trash: true, destination: 'none' });
    const { moves } = cluster;

    const undone = await refusalOf(moves.abort(MOVE, NEVER));
    const begunAgain = await refusalOf(moves.start(MOVE, NEVER));
    const finishing = moves.finish(MOVE, NEVER);
    const removal = await child(cluster, 0);
    cluster.standing.trash = false;
    removal.end(0);

    expect((await finishing).objectId).not.toBe(MOVE.source.objectId);
    expect(removal.args).toEqual(['trash', 'rm', `a/${MOVE.source.objectId}`]);
    expect([undone.message, begunAgain.message]).toEqual([
      expect.stringContaining('can only be finished'),
      expect.stringContaining('can only be finished'),
    ]);
  });
});

describe('the entry of the trash that a move leaves which was cut off', () => {
  /** Of Ceph 16.2.15, for an image of the name v6-232. */
  const ENTRY = Buffer.from(
    '02011c0000000206000000' + '76362d323332' + '1ee00d6bc211261d1ee00d6bc211261d' + '01',
    'hex',
  );

  it('is made one that rbd restores, and nothing else of it is changed', () => {
    const changed = asPutByHand(ENTRY, 'v6-232');

    expect(changed?.toString('hex')).toBe(
      '02011c0000000006000000' + '76362d323332' + '1ee00d6bc211261d1ee00d6bc211261d' + '00',
    );
    expect(changed && asPutByHand(changed, 'v6-232')).toEqual(changed);
  });

  it('is left alone when it is of another image or form', () => {
    const longer = Buffer.concat([ENTRY, Buffer.from([0])]);
    const mirrored = Buffer.from(ENTRY);
    mirrored[6] = 1;

    expect([asPutByHand(ENTRY, 'v6-233'), asPutByHand(longer, 'v6-232'), asPutByHand(mirrored, 'v6-232')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('the features of an image that is a part of a move', () => {
  it('are the same without that', () => {
    const marked = Buffer.from('3d02000000000000', 'hex');

    expect(asUnmarked(marked)?.toString('hex')).toBe('3d00000000000000');
    expect(asUnmarked(Buffer.from('3d00000000000000', 'hex'))?.toString('hex')).toBe('3d00000000000000');
    expect(asUnmarked(Buffer.alloc(4))).toBeUndefined();
  });
});

describe('the beginning of a move', () => {
  it('is not cut off by the end of its job, which comes after it', async () => {
    const cluster = fakeCluster();
    const job = new AbortController();
    const starting = cluster.moves.start(MOVE, job.signal);
    const prepare = await child(cluster, 0);

    job.abort(new Error('the lease has lapsed'));
    const cutOff = await isDone(starting);
    prepare.end(0);

    expect([cutOff, prepare.isRunning()]).toEqual([false, false]);
    await expect(starting).rejects.toThrow('lease');
    expect(cluster.children).toHaveLength(1);
    expect(prepare.args.slice(0, 2)).toEqual(['migration', 'prepare']);
  });
});

describe('the copying of a move', () => {
  it('ends with the job that wants it, and goes on with the next', async () => {
    const cluster = fakeCluster();
    const [first, second] = [new AbortController(), new AbortController()];
    const execute = await begun(cluster, first.signal);
    execute.says('Image migration: 37% complete...');
    const before = await cluster.moves.poll(MOVE, first.signal);

    first.abort(new Error('the lease has lapsed'));
    const recovered = await cluster.moves.recover(MOVE, second.signal);
    const again = await child(cluster, 2);

    expect(before).toEqual({ state: 'running', percent: 37 });
    expect(execute.isRunning()).toBe(false);
    expect(recovered.state).toBe('running');
    expect([again.args, again.isRunning()]).toEqual([['migration', 'execute', `b/${DESTINATION}`], true]);
  });

  it('goes on when a newer attempt has taken it up before the end of the older one', async () => {
    const cluster = fakeCluster();
    const [first, second] = [new AbortController(), new AbortController()];
    const execute = await begun(cluster, first.signal);

    await cluster.moves.recover(MOVE, second.signal);
    first.abort(new Error('superseded'));

    expect(execute.isRunning()).toBe(true);
    second.abort(new Error('the lease has lapsed'));
    expect(execute.isRunning()).toBe(false);
  });

  it('is left to end by itself, and the source by whoever has it open, before the source is given up', async () => {
    const cluster = fakeCluster();
    const execute = await begun(cluster);
    Object.assign(cluster.standing, { destination: 'executed', watchers: ['127.0.0.1:0/7'] });

    const finishing = cluster.moves.finish(MOVE, NEVER);
    const whileItRuns = await isDone(child(cluster, 2));
    const wasLeft = execute.isRunning();
    execute.end(0);
    const whileOpen = await isDone(child(cluster, 2));
    cluster.standing.watchers = [];
    const commit = await child(cluster, 2);
    Object.assign(cluster.standing, { trash: false, destination: 'none' });
    commit.end(0);

    expect([whileItRuns, wasLeft, whileOpen]).toEqual([false, true, false]);
    expect(commit.args.slice(0, 2)).toEqual(['migration', 'commit']);
    expect((await finishing).sizeBytes).toBe(4096);
  });
});

describe('what speaks against a copy as well', () => {
  it.each([
    ['is another one by now', { source: 'replaced' } as const, 'ObjectBusy', 'somebody replaced it'],
    ['is gone', { source: 'gone' } as const, 'ObjectMissing', SOURCE],
    ['is open', { watchers: ['127.0.0.1:0/7'] }, 'ObjectBusy', '127.0.0.1:0/7 has it open: detach or unmap it'],
  ])('fails the question whether an image can be moved that %s', async (_, standing, code, text) => {
    const error = await refusalOf(fakeCluster(standing).moves.canMove(MOVE, NEVER));

    expect([error.code, error.message]).toEqual([code, expect.stringContaining(text)]);
  });
});

describe('a whole move', () => {
  it('starts no program that it does not need: each takes a fifth of a second', async () => {
    const cluster = fakeCluster();
    const { moves, started, standing } = cluster;
    await moves.recover(MOVE, NEVER);
    await moves.canMove(MOVE, NEVER);
    const execute = await begun(cluster);
    for (let polls = 0; polls < 10; polls++) await moves.poll(MOVE, NEVER);
    standing.destination = 'executed';
    execute.end(0);
    await until('the end of the copying', () => !execute.isRunning());
    await moves.poll(MOVE, NEVER);
    const finishing = moves.finish(MOVE, NEVER);
    const commit = await child(cluster, 2);
    Object.assign(standing, { trash: false, destination: 'none' });
    commit.end(0);
    await finishing;

    expect(started).toEqual([
      ...['ceph', 'rbd status', 'rbd info'],
      ...['ceph', 'rbd info', 'rbd info', 'rbd status'],
      ...['rbd status', 'rbd info', 'rbd migration prepare', 'rbd migration execute'],
      'rbd status',
      ...['rbd status', 'rados', 'rbd migration commit', 'rbd info', 'rbd image-meta'],
    ]);
  });
});
