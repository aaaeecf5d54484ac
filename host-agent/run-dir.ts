import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** sun_path of a unix socket's address takes 107 bytes (unix(7)); a name in the directory is shorter than this. */
const MOST_PATH_BYTES = 107;
const MOST_NAME_BYTES = 40;
const ELSEWHERE = 'volmove-run-';
const HASH_LETTERS = 20;

const emptied = async (directory: string): Promise<string> => {
  await rm(directory, { recursive: true, force: true });
  // fails when somebody else has made one of that name meanwhile
  await mkdir(directory, { mode: 0o700 });
  return directory;
};

/** A directory of this agent's own for sockets, empty at each start, and the same one each time: so none is left behind. */
export const freshRunDir = async (dataDir: string, temporary = tmpdir()): Promise<string> => {
  const usual = join(dataDir, 'run');
  if (Buffer.byteLength(usual) + MOST_NAME_BYTES <= MOST_PATH_BYTES) return emptied(usual);
  await rm(usual, { recursive: true, force: true });
  const hash = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, HASH_LETTERS);
  // another user may hold the name, in a directory that all may write to
  return emptied(join(temporary, `${ELSEWHERE}${hash}`)).catch(() => mkdtemp(join(temporary, ELSEWHERE)));
};
