import pino from 'pino';
import { volmoveError } from '../domain/error.ts';
import { openDataDir } from '../local/data-dir.ts';
import { problemsOfProcess } from '../local/problem-log.ts';
import { type Cloud, type CloudOptions, startCloud } from './cloud.ts';

/** `volmove up`: one process, one data directory with a lock, one port; loopback only unless told otherwise. */
export interface UpOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly allowRemote: boolean;
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** An address that cannot be opened is the administrator's to mend: its words are in the error already. */
const startOrExplain = async (options: CloudOptions): Promise<Cloud> => {
  try {
    return await startCloud(options);
  } catch (error) {
    const code = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined)?.code : undefined;
    if (!(error instanceof Error) || !code?.startsWith('EADDR')) throw error;
    throw volmoveError('AlreadyRunning', { reason: error.message }, { cause: error });
  }
};

export const runUp = async ({ dataDir, host, port, allowRemote, print, signal }: UpOptions): Promise<void> => {
  if (!isLoopback(host) && !allowRemote) {
    throw volmoveError('ConfigInvalid', {
      problems: [
        `${host} is not a loopback address; requests are not authenticated, so only loopback is served (--allow-remote overrides)`,
      ],
    });
  }
  const directory = await openDataDir(dataDir);
  const log = pino({ name: 'volmove-cloud' }, pino.destination({ dest: 2, sync: true }));
  try {
    const cloud = await startOrExplain({
      dataDir: directory.path,
      host,
      port,
      onProblem: problemsOfProcess((what, error) => log.warn({ err: error, what }, 'cloud.problem')),
    });
    print(`volmove is up at ${cloud.url} (data in ${directory.path})`);
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    print('stopping');
    await cloud.close();
  } finally {
    await directory.release();
  }
};
