import { describe, expect, it, vi } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { type Job, type JobKind, resultOf } from '../../domain/job/job.ts';
import { GIB } from '../../domain/volume/volume.ts';
import type { BackendMoves, MoveState } from '../../host-agent/drivers/moves.ts';
import { until } from '../data-path/helpers/until.ts';
import { type AgentRig, agentRig, INTERVAL_MS, PLACE } from './helpers/agent-rig.ts';

/** The three jobs of a move that a backend makes by itself, over a driver whose moves are told what to say. */

const SOURCE = { ...PLACE, objectName: 'source', objectId: 'id-of-source', sizeBytes: GIB };
const INPUT = {
  source: SOURCE,
  destination: { pool: 'hdd', objectName: 'made-by-the-move' },
  sizeBytes: GIB,
  progressIntervalSeconds: null,
};
const POLL_MS = 250;
const TRY_AGAIN_MS = 2_000;
const AWAY = volmoveError('BackendOffline', { place: 'ceph', reason: 'no monitor answers' });

const rigWith = async (said: Partial<BackendMoves>): Promise<{ agent: AgentRig; moves: BackendMoves }> => {
  const agent = await agentRig();
  const none = async (): Promise<MoveState> => ({ state: 'none' });
  const moves: BackendMoves = {
    attachDuringMove: 'forbidden',
    canMove: vi.fn(async () => ({ ok: true }) as const),
    start: vi.fn(async () => undefined),
    poll: vi.fn(async () => ({ state: 'synchronised' }) as const),
    finish: vi.fn(async () => ({ objectId: 'id-of-made', sizeBytes: GIB })),
    abort: vi.fn(async () => undefined),
    recover: vi.fn(none),
    ...said,
  };
  Object.assign(agent.parts.backends.get(PLACE), { moves });
  return { agent, moves };
};

const queue = (agent: AgentRig, kind: 'backend.move' | 'backend.finish' | 'backend.undo'): Promise<Job> =>
  agent.queue({ kind, input: INPUT });
const ended = async (agent: AgentRig, job: Job, kind: JobKind) => resultOf(await agent.stored(job), kind);
const failed = async (agent: AgentRig, job: Job) => {
  const { stage } = await agent.stored(job);
  return stage.state === 'failed' ? stage.failure : undefined;
};

const pollWaits = (agent: AgentRig) => until('the wait for the next poll', () => agent.time.sleeping(POLL_MS) > 0);

describe('backend.move', () => {
  it('begins the move, tells how far it is, and ends when both sides are alike', async () => {
    const states: MoveState[] = [
      { state: 'running', percent: null },
      { state: 'running', percent: 37 },
    ];
    const { agent, moves } = await rigWith({
      poll: vi.fn(async () => states.shift() ?? ({ state: 'synchronised' } as const)),
    });
    const job = await queue(agent, 'backend.move');

    const { done } = agent.run(job);
    await pollWaits(agent);
    const silent = (await agent.stored(job)).progress;
    agent.time.wake(POLL_MS);
    await pollWaits(agent);
    agent.time.wake(INTERVAL_MS);
    await until('the report', async () => (await agent.stored(job)).progress !== null);
    const shown = (await agent.stored(job)).progress?.doneBytes;
    agent.time.wake(POLL_MS);
    await done;

    expect(silent).toBeNull();
    expect(shown).toBe(Math.floor(GIB * 0.37));
    expect(await ended(agent, job, 'backend.move')).toEqual({ moved: true });
    expect((await agent.stored(job)).progress?.doneBytes).toBe(GIB);
    expect(moves.start).toHaveBeenCalledOnce();
  });

  it('begins nothing where the backend says no, and passes its reason on', async () => {
    const { agent, moves } = await rigWith({ canMove: async () => ({ ok: false, reason: 'it has clones' }) });
    const job = await queue(agent, 'backend.move');

    await agent.run(job).done;

    expect(await ended(agent, job, 'backend.move')).toEqual({ moved: false, reason: 'it has clones' });
    expect(moves.start).not.toHaveBeenCalled();
  });

  it('takes up what an earlier attempt has begun', async () => {
    const { agent, moves } = await rigWith({ recover: async () => ({ state: 'running', percent: 80 }) });
    const job = await queue(agent, 'backend.move');

    const { done } = agent.run(job);
    await pollWaits(agent);
    agent.time.wake(POLL_MS);
    await done;

    expect(await ended(agent, job, 'backend.move')).toEqual({ moved: true });
    expect(moves.start).not.toHaveBeenCalled();
  });

  it('fails with the backend’s reason when the move has failed there', async () => {
    const { agent } = await rigWith({ poll: async () => ({ state: 'failed', reason: 'an OSD is full' }) });
    const job = await queue(agent, 'backend.move');

    await agent.run(job).done;

    expect(await failed(agent, job)).toMatchObject({
      code: 'BackendRefused',
      message: expect.stringContaining('an OSD is full'),
    });
  });

  it('is not begun any more once it was undone, however late its job is taken', async () => {
    const { agent, moves } = await rigWith({});
    await agent.run(await queue(agent, 'backend.undo')).done;
    const late = await queue(agent, 'backend.move');

    await agent.run(late).done;

    expect((await failed(agent, late))?.code).toBe('ObjectTombstoned');
    expect(moves.start).not.toHaveBeenCalled();
  });
});

describe('backend.finish', () => {
  it('says what the volume lives on now', async () => {
    const { agent } = await rigWith({});
    const job = await queue(agent, 'backend.finish');

    await agent.run(job).done;

    expect(await ended(agent, job, 'backend.finish')).toEqual({ objectId: 'id-of-made', sizeBytes: GIB });
  });

  it('fails for what waiting does not mend', async () => {
    const { agent } = await rigWith({
      finish: async () => {
        throw volmoveError('NotPermitted', { place: 'ceph', reason: 'no rights on hdd' });
      },
    });
    const job = await queue(agent, 'backend.finish');

    await agent.run(job).done;

    expect((await failed(agent, job))?.code).toBe('NotPermitted');
  });
});

describe.each(['backend.finish', 'backend.undo'] as const)('%s', (kind) => {
  it('does not give up while the backend is only away', async () => {
    let away = 2;
    const act = async () => {
      if (away-- > 0) throw AWAY;
      return { objectId: 'id-of-made', sizeBytes: GIB };
    };
    const { agent } = await rigWith({ finish: act, abort: async () => void (await act()) });
    const job = await queue(agent, kind);

    const { done } = agent.run(job);
    for (let n = 0; n < 2; n++) {
      await until('the pause', () => agent.time.sleeping(TRY_AGAIN_MS) > 0);
      agent.time.wake(TRY_AGAIN_MS);
    }
    await done;

    expect(await ended(agent, job, kind)).toBeDefined();
    expect(away).toBe(-1);
  });

  it('tells what it waits for, for each reason once and once a minute', async () => {
    const busy = volmoveError('ObjectBusy', { object: 'source', reason: 'a guest has it open' });
    const thrown = [AWAY, AWAY, busy, busy, busy];
    const act = async () => {
      const error = thrown.shift();
      if (error) throw error;
      return { objectId: 'id-of-made', sizeBytes: GIB };
    };
    const { agent } = await rigWith({ finish: act, abort: async () => void (await act()) });
    const told: string[] = [];
    Object.assign(agent.parts, {
      onProblem: (what: string, error: Error) => told.push(`${/\d+ s/.exec(what)?.[0]}: ${error.message}`),
    });
    const job = await queue(agent, kind);

    const { done } = agent.run(job);
    for (const passes of [2_000, 2_000, 2_000, 60_000, 2_000]) {
      await until('the pause', () => agent.time.sleeping(TRY_AGAIN_MS) > 0);
      agent.clock.advanceMs(passes);
      agent.time.wake(TRY_AGAIN_MS);
    }
    await done;

    expect(told).toEqual([`0 s: ${AWAY.message}`, `4 s: ${busy.message}`, `66 s: ${busy.message}`]);
  });

  it('is refused by a backend that makes no moves', async () => {
    const { agent } = await rigWith({});
    Object.assign(agent.parts.backends.get(PLACE), { moves: undefined });
    const job = await queue(agent, kind);

    await agent.run(job).done;

    expect((await failed(agent, job))?.code).toBe('BackendRefused');
  });
});
