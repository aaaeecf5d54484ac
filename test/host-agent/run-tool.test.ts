import { ChildProcess } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { identityOf } from '../../host-agent/children/process-identity.ts';
import { createRunTool, type RunTool } from '../../host-agent/tools/run-tool.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { refusalOf } from '../helpers/refusal.ts';

const NEVER = new AbortController().signal;
const PATH = '/usr/bin:/bin';
const runTool = createRunTool(PATH);
const shell = (script: string, more: object = {}) => ({
  program: 'sh',
  package: 'dash',
  args: ['-c', script],
  ...more,
});

const PATIENCE = { timeout: 60_000, interval: 10 };

/** Writes its number into a file, and then does not end. */
const endless = async (trap = ''): Promise<{ script: string; pid: () => Promise<number> }> => {
  const directory = await tempDir();
  const file = join(directory, 'pid');
  return {
    script: `${trap}echo $$ >${file}.new; mv ${file}.new ${file}; while :; do sleep 0.05; done`,
    pid: async () => {
      await vi.waitUntil(async () => (await readdir(directory)).includes('pid'), PATIENCE);
      return Number(await readFile(file, 'utf8'));
    },
  };
};

/** Waits end when the test says so, and not before: a program is up by then, however slow the machine is. */
const clocked = (): { runTool: RunTool; passes: (ms: number) => Promise<void> } => {
  const waits = new Map<() => void, number>();
  return {
    runTool: createRunTool(PATH, (ms, act) => {
      waits.set(act, ms);
      return () => void waits.delete(act);
    }),
    async passes(ms) {
      await vi.waitUntil(() => [...waits.values()].includes(ms), PATIENCE);
      for (const [act, after] of [...waits])
        if (after === ms) {
          waits.delete(act);
          act();
        }
    },
  };
};
const GRACE_MS = 5_000;
const LAST_GRACE_MS = 1_000;
const LIMIT_MS = 1_500;
const isRunning = async (pid: number): Promise<boolean> => (await identityOf(pid)) !== undefined;
/** What the tool left alone on purpose is the test's to end. */
const endAfterTest = (pid: number): void => onTestFinished(() => void process.kill(pid, 'SIGKILL'));

afterEach(() => vi.restoreAllMocks());

describe('a program that answers in a moment', () => {
  it('has its exit code, whichever, and both of its outputs given back', async () => {
    const end = await runTool(shell('echo out; echo err >&2; exit 5'), NEVER);

    expect(end).toEqual({ exitCode: 5, stdout: 'out\n', stderr: 'err\n' });
  });

  it('that a signal ends has no exit code', async () => {
    expect((await runTool(shell('kill -KILL $$'), NEVER)).exitCode).toBeNull();
  });

  it('that is missing is said with its package', async () => {
    const error = await refusalOf(runTool({ program: 'no-such-program', package: 'lvm2', args: [] }, NEVER));

    expect(error.code).toBe('ProgramMissing');
    expect(error.message).toContain('no-such-program (package lvm2)');
  });

  it('that may not be run is as good as missing', async () => {
    const directory = await tempDir();
    await writeFile(join(directory, 'tool'), 'text', { mode: 0o644 });

    const error = await refusalOf(createRunTool(directory)({ program: 'tool', package: 'lvm2', args: [] }, NEVER));

    expect(error.code).toBe('ProgramMissing');
  });

  it('sees PATH, the C locale and what it was given, and nothing else of the agent’s environment', async () => {
    const { stdout } = await runTool({ program: 'env', package: 'coreutils', args: [], env: { SECRET: 'x' } }, NEVER);

    expect(stdout.trim().split('\n').sort()).toEqual(['LC_ALL=C', `PATH=${PATH}`, 'SECRET=x']);
  });

  it('reads what it is given, and ends also when it does not read all of that', async () => {
    const input = 'x'.repeat(1024 * 1024);

    expect((await runTool(shell('wc -c', { input }), NEVER)).stdout.trim()).toBe(String(input.length));
    expect((await runTool(shell('exit 3', { input }), NEVER)).exitCode).toBe(3);
  });

  it('has its output whole when there is much of it, across the pieces that it comes in', async () => {
    const { stdout } = await runTool(shell('seq 1 500000; printf "\\303\\244"'), NEVER);

    const numbers = stdout.split('\n');
    expect(numbers.length).toBe(500_001);
    expect([numbers[0], numbers[499_999], numbers.at(-1)]).toEqual(['1', '500000', 'ä']);
  });

  it('that does not end in time is ended, which is said', async () => {
    const { script, pid } = await endless();
    const { runTool: run, passes } = clocked();
    const ended = refusalOf(run(shell(script, { timeoutMs: LIMIT_MS }), NEVER));
    const running = await pid();

    await passes(LIMIT_MS);
    const error = await ended;

    expect(error.code).toBe('BackendTimedOut');
    expect(error.message).toContain('sh did not answer within 2 s');
    expect(await isRunning(running)).toBe(false);
  });

  it('is killed when it does not heed that', async () => {
    const { script, pid } = await endless("trap '' TERM; ");
    const { runTool: run, passes } = clocked();
    const ended = refusalOf(run(shell(script, { timeoutMs: LIMIT_MS }), NEVER));
    const running = await pid();

    await passes(LIMIT_MS);
    await passes(GRACE_MS);
    const error = await ended;

    expect(error.code).toBe('BackendTimedOut');
    expect(await isRunning(running)).toBe(false);
  });

  it('is not killed when that would do harm: it is let go, and goes on', async () => {
    const { script, pid } = await endless("trap '' TERM; ");
    const { runTool: run, passes } = clocked();
    const ended = refusalOf(run(shell(script, { timeoutMs: LIMIT_MS, neverKilled: true }), NEVER));
    const running = await pid();
    endAfterTest(running);

    await passes(LIMIT_MS);
    await passes(GRACE_MS);
    const error = await ended;

    expect(error.code).toBe('BackendTimedOut');
    expect(await isRunning(running)).toBe(true);
  });

  it('is no longer waited for when not even a kill ends it', async () => {
    const { script, pid } = await endless("trap '' TERM; ");
    const { runTool: run, passes } = clocked();
    const kill = vi.spyOn(ChildProcess.prototype, 'kill').mockReturnValue(true);
    const ended = refusalOf(run(shell(script, { timeoutMs: LIMIT_MS }), NEVER));
    const running = await pid();
    endAfterTest(running);

    await passes(LIMIT_MS);
    await passes(GRACE_MS);
    await passes(LAST_GRACE_MS);
    const error = await ended;

    expect(error.code).toBe('BackendTimedOut');
    expect(kill.mock.calls.flat()).toEqual(['SIGTERM', 'SIGKILL']);
    expect(await isRunning(running)).toBe(true);
  });

  it('that has ended has answered, also when one that it has started holds its outputs open', async () => {
    const { script, pid } = await endless();
    const { runTool: run, passes } = clocked();
    const ended = run(shell(`echo said; sh -c '${script}' & exit 4`, { timeoutMs: LIMIT_MS }), NEVER);
    endAfterTest(await pid());

    await passes(GRACE_MS);

    expect(await ended).toEqual({ exitCode: 4, stdout: 'said\n', stderr: '' });
  });

  it('is ended by an abort, whose reason is what the caller gets', async () => {
    const { script, pid } = await endless();
    const abort = new AbortController();
    const ended = thrownBy(runTool(shell(script), abort.signal));
    const running = await pid();

    abort.abort(new Error('the job was cancelled'));

    expect((await ended).message).toBe('the job was cancelled');
    expect(await identityOf(running)).toBeUndefined();
  });

  it('is not run at all when it was aborted before', async () => {
    const directory = await tempDir();

    const error = await thrownBy(
      runTool(shell(`touch ${join(directory, 'run')}`), AbortSignal.abort(new Error('before'))),
    );

    expect(error.message).toBe('before');
    expect(await readdir(directory)).toEqual([]);
  });
});
