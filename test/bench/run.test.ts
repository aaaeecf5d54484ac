import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CopyRow, Row } from '../../bench/copy/report/rows.ts';

const MAIN = fileURLToPath(new URL('../../bench/copy/main.ts', import.meta.url));

const scratch = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'volmove-bench-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
};

const bench = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

const outputOf = async (child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> => {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part: Buffer) => {
    stdout += part.toString();
  });
  child.stderr?.on('data', (part: Buffer) => {
    stderr += part.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
};

describe('npm run bench:copy', () => {
  it('measures everyone who is here in a small case, and leaves nothing behind', async () => {
    const dir = await scratch();
    const options = ['--json', '--rounds', '2', '--size-mib', '4', '--dir', dir];

    const { code, stdout, stderr } = await outputOf(
      bench(...options, '--case', 'sparse-disk-verified', '--case', 'dense-tls-copy'),
    );

    expect(stderr).not.toContain('error');
    expect(code).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    expect(rows.filter((row) => row.kind === 'left out' && row.failed)).toEqual([]);
    const ours = rows.filter((row): row is CopyRow => row.kind === 'copy' && row.side === 'ours');
    expect(ours.map(({ case: name, rounds, note }) => [name, rounds, note])).toEqual([
      ['dense-tls-copy', 2, 'digest on'],
      ['dense-tls-copy', 2, 'digest off'],
      ['sparse-disk-verified', 2, 'digest and read-back'],
    ]);
    expect(await readdir(dir)).toEqual([]);
  });

  it('says what is wrong with its options, and nothing else', async () => {
    const { code, stdout, stderr } = await outputOf(bench('--rounds', 'none'));

    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr: "error: --rounds takes a whole number from 1 to 1000, not 'none'\n",
    });
  });

  it('removes its files when it is interrupted', async () => {
    const dir = await scratch();
    const child = bench('--case', 'dense-disk-copy', '--size-mib', '64', '--dir', dir);
    const ended = outputOf(child);
    while ((await readdir(dir)).length === 0) await sleep(10);

    child.kill('SIGINT');

    expect((await ended).code).toBe(130);
    expect(await readdir(dir)).toEqual([]);
  });
});
