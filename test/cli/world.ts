import type { ExitCode } from '../../cli/exit-codes.ts';
import { runCli } from '../../cli/run.ts';
import type { CliDeps, OutputStream, Programs } from '../../cli/runtime/deps.ts';
import { aMigration, aVolume, NOW_MS } from './builders.ts';
import { type Asked, type FakeService, startFakeService } from './fake-service.ts';

/** The command line in process: a fake service, a clock that moves only while the command sleeps, captured streams. */

export interface Result {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WorldOptions {
  readonly tty?: boolean;
  readonly env?: Record<string, string>;
  readonly columns?: number;
  readonly rows?: number;
  readonly programs?: Partial<Programs>;
  readonly deadline?: AbortSignal;
  /** A person at the terminal; without it nobody can be asked. */
  readonly ask?: (question: string) => Promise<string>;
}

export interface World {
  readonly service: FakeService;
  /** Called before each sleep of the command, with the count of sleeps before it. */
  onSleep: (count: number) => void;
  readonly interrupt: () => void;
  readonly advance: (ms: number) => void;
  readonly run: (args: readonly string[], options?: WorldOptions) => Promise<Result>;
  /** The first request that asked for a change. */
  readonly posted: () => Asked | undefined;
  readonly close: () => Promise<void>;
}

const notHere = (): Promise<void> => Promise.reject(new Error('not in this test'));

export const createWorld = async (): Promise<World> => {
  const service = await startFakeService();
  let nowMs = NOW_MS;
  const listeners = new Set<() => void>();

  const sleeper = (): CliDeps['sleep'] => {
    let count = 0;
    return async (ms, signal) => {
      world.onSleep(count);
      count += 1;
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      nowMs += ms;
    };
  };

  const run = async (args: readonly string[], options: WorldOptions = {}): Promise<Result> => {
    const written = { stdout: '', stderr: '' };
    const stream = (name: 'stdout' | 'stderr'): OutputStream => ({
      write: (text) => {
        written[name] += text;
      },
      isTty: options.tty ?? false,
      columns: () => options.columns ?? 100,
      rows: () => options.rows ?? 30,
    });
    const exitCode = await runCli(args, {
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      env: { VOLMOVE_ENDPOINT: service.url, LANG: 'C.UTF-8', ...options.env },
      fetch,
      nowMs: () => nowMs,
      sleep: sleeper(),
      deadline: () => options.deadline ?? new AbortController().signal,
      onInterrupt: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      ask: options.ask,
      homeDir: '/home/admin',
      version: '1.2.3',
      programs: { up: notHere, agent: notHere, demo: notHere, ...options.programs },
    });
    return { exitCode, ...written };
  };

  const world: World = {
    service,
    onSleep: () => undefined,
    interrupt: () => {
      for (const listener of listeners) listener();
    },
    advance: (ms) => {
      nowMs += ms;
    },
    run,
    posted: () => service.asked.find(({ method }) => method === 'POST'),
    close: service.close,
  };
  return world;
};

/** With one volume, data1, and its migration, which runs. */
export const createWorldOfOne = async (): Promise<World> => {
  const world = await createWorld();
  world.service.volumes.push(aVolume());
  world.service.migrations.push(aMigration());
  return world;
};
