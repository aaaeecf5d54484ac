import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory of its own for the test that asks; removed when the test is over. */
export const tempDir = async (): Promise<string> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'volmove-agent-')));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
};
