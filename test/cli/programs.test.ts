import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentRun, DemoRun, UpRun } from '../../cli/runtime/deps.ts';
import { volmoveError } from '../../domain/error.ts';
import { createWorld, type World } from './world.ts';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('the long-running commands', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.close());

  it('runs the service on loopback with its directory below the home, until the first Ctrl-C', async () => {
    let seen: UpRun | undefined;
    const up = async (options: UpRun): Promise<void> => {
      seen = options;
      options.print('volmove is up');
      queueMicrotask(world.interrupt);
      await aborted(options.signal);
    };

    const result = await world.run(['up'], { programs: { up } });

    expect(seen).toMatchObject({ dataDir: '/home/admin/.volmove', host: '127.0.0.1', port: 8776, allowRemote: false });
    expect(result).toEqual({ exitCode: 0, stdout: 'volmove is up\n', stderr: '' });
  });

  it.each(['0.0.0.0', '192.0.2.1', 'example.org', '::', '127.evil.example'])(
    'refuses %s, which others can reach, unless that is meant',
    async (host) => {
      const up = () => Promise.resolve();

      const refused = await world.run(['up', '--host', host], { programs: { up } });
      const meant = await world.run(['up', '--host', host, '--allow-remote'], { programs: { up } });

      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toContain('--allow-remote');
      expect(meant.exitCode).toBe(0);
    },
  );

  it('ends a service that hangs in its stop at the second Ctrl-C', async () => {
    const up = async (options: UpRun): Promise<void> => {
      queueMicrotask(world.interrupt);
      await aborted(options.signal);
      world.advance(2_000);
      queueMicrotask(world.interrupt);
      await new Promise<void>(() => undefined);
    };

    expect((await world.run(['up'], { programs: { up } })).exitCode).toBe(130);
  });

  it('gives an agent two signals: the first is graceful, the second forces', async () => {
    const states: boolean[][] = [];
    const agent = async ({ configPath, gracefulSignal, forceSignal }: AgentRun): Promise<void> => {
      const note = (): void => {
        states.push([gracefulSignal.aborted, forceSignal.aborted]);
      };
      expect(configPath).toBe('agent.json');
      note();
      world.interrupt();
      note();
      world.interrupt();
      note();
      world.advance(1_000);
      world.interrupt();
      note();
    };

    const result = await world.run(['agent', '--config', 'agent.json'], { programs: { agent } });

    expect(result.exitCode).toBe(0);
    expect(states).toEqual([
      [false, false],
      [true, false],
      // The same signal at the same moment: the terminal and the launcher both delivered it.
      [true, false],
      [true, true],
    ]);
  });

  it('tells all problems of a configuration', async () => {
    const agent = () =>
      Promise.reject(volmoveError('ConfigInvalid', { problems: ['host_id is missing', 'no backends'] }));

    const result = await world.run(['agent', '--config', 'x'], { programs: { agent } });

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('  - host_id is missing\n');
    expect(result.stderr).toContain('  - no backends\n');
    expect(result.stderr).toContain('Correct the configuration');
  });

  it('tells that a data directory is in use', async () => {
    const up = () => Promise.reject(volmoveError('AlreadyRunning', { reason: 'The directory is in use.' }));

    expect((await world.run(['up'], { programs: { up } })).exitCode).toBe(6);
  });

  it('runs the demo, and passes on how it is shown', async () => {
    let seen: DemoRun | undefined;
    const demo = async (options: DemoRun): Promise<void> => {
      seen = options;
      options.print('hello');
    };

    const result = await world.run(['demo', '--keep', '--json'], { programs: { demo }, tty: true });

    expect(seen).toMatchObject({ keep: true, isTty: false });
    expect(JSON.parse(result.stdout)).toEqual({ at: '2026-11-23T02:10:00.000Z', message: 'hello' });
  });

  it('tells a failure with its causes, and the stack when that is asked for', async () => {
    const demo = () => Promise.reject(new Error('the demo broke', { cause: new Error('no space left') }));

    const plain = await world.run(['demo'], { programs: { demo } });
    const debug = await world.run(['demo'], { programs: { demo }, env: { VOLMOVE_DEBUG: '1' } });

    expect(plain.exitCode).toBe(1);
    expect(plain.stderr).toContain('error: Unexpected: the demo broke: no space left');
    expect(plain.stderr).not.toContain('programs.test');
    expect(debug.stderr).toContain('programs.test');
  });
});
