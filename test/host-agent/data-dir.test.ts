import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDataDir } from '../../local/data-dir.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../helpers/refusal.ts';

const HOLDER = fileURLToPath(new URL('./helpers/hold-data-dir.ts', import.meta.url));

const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
};

/** A child process that holds the directory; resolves when it has it, with the id that it found there. */
const holder = async (path: string): Promise<{ child: ChildProcess; id: string }> => {
  const child = spawn(process.execPath, [HOLDER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => killed(child));
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, id: line.toString().trim() };
};

describe('a data directory', () => {
  it('that another process has open is refused, with the id of that process', async () => {
    const path = await tempDir();
    const { child } = await holder(path);

    const error = await refusalOf(openDataDir(path));

    expect(error.code).toBe('AlreadyRunning');
    expect(error.message).toContain(`in use by process ${child.pid}`);
  });

  it('opens again after its holder was killed with no chance to clean up, and is the same directory', async () => {
    const path = await tempDir();
    const { child, id } = await holder(path);

    await killed(child);
    const dir = await openDataDir(path);
    onTestFinished(() => dir.release());

    expect(dir.id).toBe(id);
  });

  it('that was copied is another one than it was copied from, which stays what it was', async () => {
    const path = await tempDir();
    const first = await openDataDir(path);
    const elsewhere = join(await tempDir(), 'copy');
    await cp(path, elsewhere, { recursive: true, preserveTimestamps: true });

    const copied = await openDataDir(elsewhere);
    onTestFinished(() => copied.release());
    await first.release();
    const again = await openDataDir(path);
    onTestFinished(() => again.release());

    expect(copied.id).not.toBe(first.id);
    expect(again.id).toBe(first.id);
  });

  it('that was moved is the same', async () => {
    const path = join(await tempDir(), 'before');
    const first = await openDataDir(path);
    await first.release();
    const after = join(await tempDir(), 'after');
    await rename(path, after);

    const moved = await openDataDir(after);
    onTestFinished(() => moved.release());

    expect(moved.id).toBe(first.id);
  });

  it('that this very process has open is refused too, until it is released', async () => {
    const path = join(await tempDir(), 'made', 'when needed');
    const first = await openDataDir(path);

    const error = await refusalOf(openDataDir(path));
    await first.release();
    const second = await openDataDir(path);
    onTestFinished(() => second.release());

    expect(error.message).toContain(`process ${process.pid}`);
    expect(second.id).toBe(first.id);
  });

  it('that cannot be made is a mistake of the configuration', async () => {
    const path = join(await tempDir(), 'a file');
    await writeFile(path, '');

    const error = await refusalOf(openDataDir(join(path, 'below')));

    expect(error.code).toBe('ConfigInvalid');
    expect(error.message).toContain(path);
  });
});
