import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** sun_path of a unix socket's address takes 107 bytes (unix(7)); a name in the directory is shorter than this. */
const MOST_PATH_BYTES = 107;
const MOST_NAME_BYTES = 40;

/** A directory of this agent's own for sockets, empty at each start. */
export const freshRunDir = async (dataDir: string): Promise<string> => {
  const usual = join(dataDir, 'run');
  await rm(usual, { recursive: true, force: true });
  if (Buffer.byteLength(usual) + MOST_NAME_BYTES > MOST_PATH_BYTES) return mkdtemp(join(tmpdir(), 'volmove-run-'));
  await mkdir(usual, { mode: 0o700 });
  return usual;
};
