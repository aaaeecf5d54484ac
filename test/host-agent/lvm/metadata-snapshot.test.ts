import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../../domain/error.ts';
import { createLvm } from '../../../host-agent/drivers/lvm/commands.ts';
import { type SnapshotDeps, withMetadataSnapshot } from '../../../host-agent/drivers/lvm/metadata-snapshot.ts';
import type { Tool } from '../../../host-agent/tools/run-tool.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { type Answer, end } from './fake-group.ts';

const NEVER = new AbortController().signal;
const WHERE = { place: 'lvm#main', pool: 'vg-pool-tpool', metadata: 'vg-pool_tmeta' };

/** The kernel's side of it, with a clock that passes while somebody waits. */
const kernel = (answer: Answer = () => undefined, onSleep: (nowMs: number) => void = () => undefined) => {
  const state = { root: '-', readers: 0, nextRoot: 100, nowMs: 0 };
  const said: string[] = [];
  const message = (text: string) => {
    said.push(text);
    if (text === 'release_metadata_snap') {
      state.root = '-';
      return end();
    }
    if (state.root !== '-') return end('', 1, 'device-mapper: message ioctl on x failed: Device or resource busy\n');
    state.root = String(state.nextRoot);
    state.nextRoot += 1;
    return end();
  };
  const runTool = async (tool: Tool) => {
    const answered = await answer(tool);
    if (answered) return answered;
    const [what, , , text = ''] = tool.args;
    if (what === 'message') return message(text);
    if (what === 'info') return end(`${1 + state.readers}\n`);
    return end(`0 614400 thin-pool 2 113/1024 160/4800 ${state.root} rw no_discard_passdown queue_if_no_space - 256\n`);
  };
  const deps: SnapshotDeps = {
    lvm: createLvm(runTool, 1_000),
    children: { start: () => Promise.reject(new Error('nothing was to be started')) },
    runDir: '/nonexistent',
    monotonicMs: () => state.nowMs,
    async sleep(ms) {
      state.nowMs += ms;
      onSleep(state.nowMs);
    },
  };
  const read = (act: () => unknown = () => undefined, signal = NEVER) =>
    withMetadataSnapshot(deps, WHERE, async () => (await act()) ?? 'read', signal);
  return { state, said, read };
};

const RESERVED_ONCE = ['reserve_metadata_snap', 'release_metadata_snap'];

describe('the snapshot of a pool’s metadata', () => {
  it('is held while it is read, and given back after that', async () => {
    const { state, said, read } = kernel();

    expect(await read(() => state.root)).toBe('100');
    expect(said).toEqual(RESERVED_ONCE);
  });

  it('is given back when the reading fails, and when it is stopped', async () => {
    const { state, said, read } = kernel();
    const stop = new AbortController();

    const failed = await thrownBy(read(() => Promise.reject(new Error('cannot be read'))));
    const stopped = await thrownBy(
      read(() => {
        stop.abort(new Error('stop'));
        stop.signal.throwIfAborted();
      }, stop.signal),
    );

    expect([failed.message, stopped.message]).toEqual(['cannot be read', 'stop']);
    expect(said).toEqual([...RESERVED_ONCE, ...RESERVED_ONCE]);
    expect(state.root).toBe('-');
  });

  it('that another holds and reads is never taken away from it; then the map cannot be told', async () => {
    const { state, said, read } = kernel();
    Object.assign(state, { root: '7', readers: 1 });

    expect(await read()).toBeUndefined();
    expect(state.root).toBe('7');
    expect(said).not.toContain('release_metadata_snap');
  });

  it('that another reads for long is waited for', async () => {
    const { state, said, read } = kernel(undefined, (nowMs) => {
      if (nowMs >= 30_000) Object.assign(state, { root: '-', readers: 0 });
    });
    Object.assign(state, { root: '7', readers: 1 });

    expect(await read(() => state.root)).toBe('100');
    expect(said).toEqual(['reserve_metadata_snap', ...RESERVED_ONCE]);
  });

  it('that nobody has read for a while was left by one that died, and is given back for it', async () => {
    const { state, said, read } = kernel();
    state.root = '7';

    expect(await read(() => state.root)).toBe('100');
    expect(said).toEqual(['reserve_metadata_snap', 'release_metadata_snap', ...RESERVED_ONCE]);
  });

  it('that others took away in the middle proves nothing: it is read again, and theirs is left alone', async () => {
    const { state, said, read } = kernel();
    let reads = 0;
    const stolen = () => {
      reads += 1;
      if (reads === 1) {
        state.root = '-';
        throw new Error('garbage');
      }
      return `read ${reads} times`;
    };

    expect(await read(stolen)).toBe('read 2 times');
    expect(said).toEqual(['reserve_metadata_snap', ...RESERVED_ONCE]);

    Object.assign(state, { nextRoot: 200 });
    const another = () => Object.assign(state, { root: '999', readers: 1 });
    expect(await read(another)).toBeUndefined();
    expect(state.root).toBe('999');
  });

  it('whose reservation had no answer is given back if it has happened', async () => {
    let lost = 0;
    const one = kernel((tool) => {
      if (!tool.args.includes('reserve_metadata_snap') || lost > 0) return undefined;
      lost += 1;
      one.state.root = '55';
      throw volmoveError('BackendTimedOut', { program: 'dmsetup', seconds: 60 });
    });

    const error = await refusalOf(one.read());

    expect(error.code).toBe('BackendTimedOut');
    expect(one.state.root).toBe('-');
  });

  it('cannot be had of a pool that takes no messages, as one that is read-only: then the map cannot be told', async () => {
    const { read, said } = kernel(({ args }) =>
      args.includes('reserve_metadata_snap')
        ? end('', 1, 'message ioctl on x failed: Operation not supported\n')
        : undefined,
    );

    expect(await read()).toBeUndefined();
    expect(said).toEqual([]);
  });

  it('that cannot be given back is said, alone or with what failed before', async () => {
    const { read } = kernel(({ args }) =>
      args.includes('release_metadata_snap') ? end('', 1, 'message ioctl failed: Invalid argument\n') : undefined,
    );
    const dump = volmoveError('BackendRefused', { place: 'lvm#main', reason: 'thin_dump: bad checksum' });

    const alone = await refusalOf(read());
    const { state, read: readAgain } = kernel(({ args }) =>
      args.includes('release_metadata_snap') ? end('', 1, 'message ioctl failed: Invalid argument\n') : undefined,
    );
    const both = await refusalOf(readAgain(() => Promise.reject(dump)));

    expect(alone).toMatchObject({ code: 'BackendRefused', message: expect.stringContaining('Invalid argument') });
    expect(both.message).toMatch(/bad checksum.*could not be given back.*Invalid argument/);
    expect(state.root).not.toBe('-');
  });
});
