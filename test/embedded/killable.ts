import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** Starts child.ts on a directory and returns its URL and what kills it as SIGKILL does. */
export const startKillable = async (dir: string): Promise<{ url: string; kill: () => Promise<void> }> => {
  const child = spawn(process.execPath, [new URL('./child.ts', import.meta.url).pathname, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const [url] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { url, kill };
};
