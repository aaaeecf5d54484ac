import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createChildren } from '../../host-agent/children/child.ts';
import { endLeftOver } from '../../host-agent/children/end-left-over.ts';
import { identityOf, isRunning, type ProcessIdentity } from '../../host-agent/children/process-identity.ts';
import { type ChildJournal, openChildJournal } from '../../host-agent/journal/children.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { until } from '../data-path/helpers/until.ts';
import { aFile, MIB, PATH } from './helpers/dd-rig.ts';

const AGENT = fileURLToPath(new URL('./helpers/dd-until-killed.ts', import.meta.url));

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();

/** A process that nothing kills but the test, or what is tested. */
const aProcess = async (program: string, args: readonly string[]): Promise<ChildProcess> => {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  await once(child, 'spawn');
  return child;
};

const identified = async (pid: number | undefined): Promise<ProcessIdentity> => {
  const identity = await identityOf(pid ?? 0);
  if (!identity) throw new Error(`process ${pid} is not there`);
  return identity;
};

const leftOver = async (journal: ChildJournal): Promise<string[]> => {
  const problems: string[] = [];
  await endLeftOver({
    journal,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, Math.min(ms, 1))),
    onProblem: (_, error) => problems.push((error as Error).message),
    signal: new AbortController().signal,
  });
  return problems;
};

describe('a process of this machine', () => {
  it('is told apart from every other that has its number', async () => {
    const mine = await identified(process.pid);

    expect(await isRunning(mine)).toBe(true);
    expect(await isRunning({ ...mine, startTicks: '1' })).toBe(false);
    expect(await isRunning({ ...mine, bootId: 'of another boot' })).toBe(false);
  });

  it('is found by its start, whatever its program is called', async () => {
    const directory = await tempDir();
    const name = join(directory, ') S 1 (');
    execFileSync('cp', [execFileSync('which', ['sleep'], { encoding: 'utf8' }).trim(), name]);
    const child = await aProcess(name, ['1000']);

    const [odd, mine] = [await identified(child.pid), await identified(process.pid)];

    expect(Number(odd.startTicks)).toBeGreaterThanOrEqual(Number(mine.startTicks));
  });

  it('that has ended is not there, also before its parent has heard of it', async () => {
    const child = await aProcess('sh', ['-c', 'sleep 0 & echo $!; exec sleep 1000']);
    const [line] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];

    await until('the zombie counts as ended', async () => (await identityOf(Number(line))) === undefined);

    expect(await identityOf(0)).toBeUndefined();
  });
});

describe('a child of the agent', () => {
  const children = async () => {
    const journal = await openChildJournal(await tempDir());
    return { journal, start: createChildren({ journal, path: PATH }) };
  };

  it('is on disk before it may do anything, and does nothing before it may', async () => {
    const { journal, start } = await children();

    const child = await start.start({ program: 'sh', package: 'dash', args: ['-c', 'echo ran >&2; exit 3'] });
    const recorded = await journal.all();
    child.go();
    const end = await child.ended;

    expect(recorded).toEqual([{ ...recorded[0], pid: child.pid, program: 'sh' }]);
    expect(end).toEqual({ exitCode: 3, signal: null, stderr: 'ran\n' });
    expect(await journal.all()).toEqual([]);
  });

  it('that is ended before it may begin never runs', async () => {
    const { start } = await children();

    const child = await start.start({ program: 'sh', package: 'dash', args: ['-c', 'echo ran >&2'] });
    child.signal('SIGKILL');
    child.go();

    expect(await child.ended).toEqual({ exitCode: null, signal: 'SIGKILL', stderr: '' });
    expect(child.isRunning()).toBe(false);
  });

  it('that cannot be recorded is ended, and never runs', async () => {
    const directory = await tempDir();
    const touched = join(directory, 'touched');
    const journal = await openChildJournal(directory);
    const pids: number[] = [];
    const broken: ChildJournal = {
      ...journal,
      put: async ({ pid }) => {
        pids.push(pid);
        throw new Error('the data directory is full');
      },
    };

    const error = await thrownBy(
      createChildren({ journal: broken, path: PATH }).start({
        program: 'touch',
        package: 'coreutils',
        args: [touched],
      }),
    );

    expect(error.message).toBe('the data directory is full');
    expect(await identityOf(pids[0] ?? 0)).toBeUndefined();
    expect(() => execFileSync('ls', [touched], { stdio: 'pipe' })).toThrow();
  });

  it.each(['HUP', 'INT', 'TERM'])('leaves a %s, which means the agent, to the agent', async (signal) => {
    const { start } = await children();
    const script = `kill -${signal} $$; echo goes on >&2`;

    const child = await start.start({ program: 'sh', package: 'dash', args: ['-c', script] });
    child.go();

    expect(await child.ended).toEqual({ exitCode: 0, signal: null, stderr: 'goes on\n' });
  });

  it('keeps only the last of what it has to say', async () => {
    const { start } = await children();
    const script = 'i=0; while [ $i -lt 2000 ]; do echo "line $i" >&2; i=$((i+1)); done';

    const child = await start.start({ program: 'sh', package: 'dash', args: ['-c', script] });
    child.go();
    const { stderr } = await child.ended;

    expect(stderr.length).toBeLessThanOrEqual(8_192);
    expect(stderr.endsWith('line 1999\n')).toBe(true);
  });

  it.each(['no', 'yes'])('dies with an agent that is killed (paused: %s)', async (paused) => {
    const directory = await tempDir();
    const source = await aFile(directory, 'source', 2_048 * MIB);
    const destination = await aFile(directory, 'destination', 2_048 * MIB);
    const agent = await aProcess(process.execPath, [AGENT, directory, source, destination, `${2_048 * MIB}`, paused]);
    await once(agent.stdout as NonNullable<typeof agent.stdout>, 'data');
    const journal = await openChildJournal(directory);
    const [dd] = await journal.all();

    agent.kill('SIGKILL');
    await ended(agent);
    await until('dd is gone', async () => dd !== undefined && !(await isRunning(dd)));
    const problems = await leftOver(journal);

    expect(dd?.program).toBe('dd');
    expect(problems).toEqual([]);
    expect(await journal.all()).toEqual([]);
  });
});

describe('an agent that starts', () => {
  it('kills what the one before has left, and waits until it has ended', async () => {
    const journal = await openChildJournal(await tempDir());
    const child = await aProcess('sleep', ['1000']);
    await journal.put({ ...(await identified(child.pid)), program: 'dd' });

    const problems = await leftOver(journal);

    expect(problems).toEqual([`dd, process ${child.pid}, still ran`]);
    expect(await identityOf(child.pid ?? 0)).toBeUndefined();
    expect(await journal.all()).toEqual([]);
  });

  it('leaves a process alone that only has the number of an earlier one', async () => {
    const journal = await openChildJournal(await tempDir());
    const child = await aProcess('sleep', ['1000']);
    const identity = await identified(child.pid);
    await journal.put({ ...identity, startTicks: '1', program: 'dd' });
    await journal.put({ ...identity, bootId: 'of another boot', program: 'dd' });

    const problems = await leftOver(journal);

    expect(problems).toEqual([]);
    expect(await isRunning(identity)).toBe(true);
    expect(await journal.all()).toEqual([]);
  });

  it('gives up when it is told to stop while it waits', async () => {
    const journal = await openChildJournal(await tempDir());
    const child = await aProcess('sleep', ['1000']);
    await journal.put({ ...(await identified(child.pid)), program: 'dd' });
    const stop = new AbortController();

    const error = await thrownBy(
      endLeftOver({
        journal,
        sleep: async () => {
          throw new Error('stopped');
        },
        onProblem: () => undefined,
        signal: stop.signal,
      }),
    );

    expect(error.message).toBe('stopped');
    expect(await journal.all()).toHaveLength(1);
  });
});
