import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastingPort } from '../system/lasting-port.ts';
import { type Rig, until } from '../system/rig.ts';

/** A second agent with the configuration of one that is there: the same host and pool, another address. */

const LAUNCHER = fileURLToPath(new URL('../../cli/volmove.js', import.meta.url));

export interface Twin {
  /** What it has printed so far. */
  readonly text: () => string;
  readonly isUp: () => Promise<unknown>;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  readonly kill: () => Promise<void>;
}

export const startTwin = async (rig: Rig, host: string, data: 'its own' | 'a copy'): Promise<Twin> => {
  const config = JSON.parse(await readFile(join(rig.directory, `${host}.json`), 'utf8')) as object;
  const dataDir = join(rig.directory, `twin-of-${host}`);
  if (data === 'a copy') await cp(rig.dataDir(host), dataDir, { recursive: true, preserveTimestamps: true });
  const path = join(rig.directory, `twin-of-${host}.json`);
  await writeFile(
    path,
    JSON.stringify({ ...config, data_dir: dataDir, data_address: `127.0.0.1:${await lastingPort()}` }),
  );
  const child = spawn(process.execPath, [LAUNCHER, 'agent', '--config', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    text: () => text,
    isUp: () => until(`the twin of ${host} is up`, async () => text.includes(' is up')),
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
};
