import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../scenario/eventually.ts';
import { type CephAccess, rbdTool } from '../scenario/pools.ts';

/** A client that has the image open, until what this resolves with is called. */
export const watching = async ({ conf, keyring }: CephAccess, spec: string): Promise<() => Promise<void>> => {
  const args = ['--pdeathsig', 'KILL', 'rbd', '--conf', conf, '--keyring', keyring, 'watch', spec];
  const child = spawn('setpriv', args, { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(child, 'close');
  await eventually(
    `${spec} is watched`,
    () => rbdTool({ conf, keyring }, 'status', spec, '--format', 'json'),
    (status) => (JSON.parse(status) as { watchers: object[] }).watchers.length > 0,
  );
  return async () => {
    // it waits for a line; killed, it would be taken for alive for another half a minute
    child.stdin.end('\n');
    await ended;
  };
};
