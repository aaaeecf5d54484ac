import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Child } from '../../../host-agent/children/child.ts';
import { serveImage } from '../../../host-agent/drivers/rbd/device.ts';
import type { DriverDeps } from '../../../host-agent/drivers/registry.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../../helpers/refusal.ts';

/** A program that comes up slowly: a socket is bound before anybody listens at it. */

const BOUND = "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))";

/** A socket that is there, and refuses. */
const bind = async (path: string): Promise<void> => {
  await once(spawn(process.execPath, ['-e', BOUND, path], { stdio: 'ignore' }), 'exit');
};

describe('an image whose program has bound its socket and does not listen yet', () => {
  it('is waited for, and its failure is told in the words of the program', async () => {
    const runDir = await tempDir();
    let socket = '';
    let looks = 0;
    const end = Promise.withResolvers<Awaited<Child['ended']>>();
    const child = { isRunning: () => looks < 3, ended: end.promise, go: () => undefined, signal: () => undefined };
    const deps = {
      runDir,
      children: {
        start: async ({ args }: { args: readonly string[] }) => {
          socket = args[args.indexOf('--socket') + 1] ?? '';
          await bind(socket);
          return child;
        },
      },
      monotonicMs: () => 0,
      sleep: async () => {
        looks += 1;
        if (looks === 3) end.resolve({ exitCode: 1, stderr: 'error connecting: Connection timed out' } as never);
      },
    } as unknown as DriverDeps;
    const request = { name: 'rbd:p/i', mode: 'ro', place: 'ceph#p', timeoutMs: 60_000 } as const;

    const error = await refusalOf(
      serveImage({ ...request, onKilled: () => undefined, signal: new AbortController().signal }, deps),
    );

    expect(looks).toBe(3);
    expect(error).toMatchObject({ code: 'BackendOffline', message: expect.stringContaining('Connection timed out') });
  });
});
