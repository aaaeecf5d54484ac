import { isIP } from 'node:net';
import { join } from 'node:path';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, examples, wholeFrom } from '../runtime/command.ts';
import { listenForInterrupts } from '../runtime/interrupts.ts';
import { linePrinter } from '../runtime/line-printer.ts';

/** `volmove up`: the whole service in one process on this machine. */

interface UpOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly host: string;
  readonly allowRemote?: boolean;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

/** A second Ctrl-C ends a stop that hangs: what is written is safe, it survives a kill. */
export const untilForced = (work: Promise<void>, force: AbortSignal, what: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const end = (): void =>
      reject(
        new CliError({
          exitCode: EXIT.detached,
          code: 'Forced',
          message: `${what} was ended before it had stopped.`,
          remedy: 'Start it again: it carries on from what it had written.',
        }),
      );
    force.addEventListener('abort', end, { once: true });
    work.then(resolve, reject);
  });

export const addUp: AddCommand = (program, { act }, deps) => {
  program
    .command('up')
    .summary('run the service on this machine')
    .description('Runs the whole service in one process, until Ctrl-C. Its state is kept in one directory.')
    .option('--data-dir <dir>', 'where its state is kept', join(deps.homeDir, '.volmove'))
    .option('--port <port>', 'port to listen on', wholeFrom(0, 65_535), 8776)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--allow-remote', 'allow an address that others can reach: requests are not authenticated')
    .addHelpText('before', examples('volmove up', 'volmove up --data-dir /var/lib/volmove --port 8800'))
    .action(
      act<UpOptions>(async (session, _operands, { dataDir, port, host, allowRemote = false }) => {
        if (!isLoopback(host) && !allowRemote) {
          throw usageError(
            `${host} can be reached by others, and requests are not authenticated.`,
            'Use a loopback address such as 127.0.0.1, or say --allow-remote if you mean it.',
          );
        }
        const interrupts = listenForInterrupts(deps);
        try {
          const options = { dataDir, host, port, allowRemote, print: linePrinter(session), signal: interrupts.first };
          await untilForced(deps.programs.up(options), interrupts.second, 'The service');
        } finally {
          interrupts.stop();
        }
        return EXIT.done;
      }),
    );
};
