import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { volmoveError } from '../../../domain/error.ts';
import type { ChildEnd, Children, Command } from '../../../host-agent/children/child.ts';
import { type Commands, createCommands } from '../../../host-agent/drivers/rbd/commands.ts';
import { RBD_BACKEND } from '../../../host-agent/drivers/rbd/config.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { driverDeps } from '../helpers/driver-deps.ts';

/** How long rbd may run, and what ends it. */

const NEVER = new AbortController().signal;
const POOLS = [{ name: 'a', pool: 'a' }];
const BACKEND = RBD_BACKEND.parse({ name: 'ceph', driver: 'rbd', timeout_seconds: 5, pools: POOLS });
const UNDISTURBED = { silentTimeouts: Number.POSITIVE_INFINITY, bySignal: false, requestsTimeOut: false };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A program that ends only when it is killed, or told to. */
const rig = (fails?: Error) => {
  const commands: Command[] = [];
  let end: (how: ChildEnd) => void = () => undefined;
  const ended = new Promise<ChildEnd>((resolve) => {
    end = resolve;
  });
  const children: Children = {
    async start(command) {
      if (fails) throw fails;
      commands.push(command);
      const signal = (): void => end({ exitCode: null, signal: 'SIGKILL', stderr: '' });
      return { pid: 1, go: () => undefined, signal, isRunning: () => true, ended };
    },
  };
  const known = { idOf: () => undefined, remember: async () => undefined };
  const made = createCommands('ceph', BACKEND, { ...driverDeps(known), children });
  return {
    commands,
    end: () => end({ exitCode: 0, signal: null, stderr: '' }),
    long: (...args: Parameters<Commands['long']>) => made.long(...args),
  };
};

describe('a program of Ceph that takes long', () => {
  it('is killed when it has not moved for ten times the backend’s timeout', async () => {
    const { long, commands } = rig();
    const running = refusalOf(long(['rm', 'a/b'], NEVER));
    await vi.advanceTimersByTimeAsync(49_000);
    commands[0]?.onStderr?.('Removing image: 1% complete...');
    await vi.advanceTimersByTimeAsync(49_000);
    const stillRuns = vi.getTimerCount();
    await vi.advanceTimersByTimeAsync(1_000);

    expect(stillRuns).toBe(1);
    expect((await running).code).toBe('BackendTimedOut');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is killed by its signal', async () => {
    const { long } = rig();
    const over = new AbortController();
    const running = long(['rm', 'a/b'], over.signal);
    await vi.advanceTimersByTimeAsync(0);

    over.abort(new Error('the lease has lapsed'));

    await expect(running).rejects.toThrow('lease');
  });

  it('is left alone by both, and by the cluster’s own client, where it must not be cut in the middle', async () => {
    const { long, commands, end } = rig();
    const over = new AbortController();
    const running = long(['migration', 'prepare'], over.signal, UNDISTURBED);
    await vi.advanceTimersByTimeAsync(0);
    over.abort(new Error('the lease has lapsed'));
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    end();

    expect((await running).exitCode).toBe(0);
    expect(commands[0]?.args.join(' ')).not.toMatch(/op_timeout/);
  });

  it('leaves no timer behind when it could not be started', async () => {
    const { long } = rig(volmoveError('ProgramMissing', { program: 'rbd', package: 'ceph-common' }));

    expect((await refusalOf(long(['rm', 'a/b'], NEVER))).code).toBe('ProgramMissing');
    expect(vi.getTimerCount()).toBe(0);
  });
});
