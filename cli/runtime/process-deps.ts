import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { packageVersion } from '../../local/package-root.ts';
import type { CliDeps, OutputStream, Programs } from './deps.ts';
import { loadPrograms } from './programs.ts';

/** The real outside of the command line: this process, its streams, its clock and its signals. */

const FALLBACK_COLUMNS = 80;
const FALLBACK_ROWS = 24;

const outputStream = (stream: NodeJS.WriteStream): OutputStream => {
  // Whoever reads may stop reading, as `| head` does: nothing more is wanted then, and that is no error.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return {
    write: (text) => {
      stream.write(text);
    },
    isTty: stream.isTTY === true,
    columns: () => stream.columns ?? FALLBACK_COLUMNS,
    rows: () => stream.rows ?? FALLBACK_ROWS,
  };
};

const onInterrupt = (listener: () => void): (() => void) => {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
};

/** On stderr: stdout is for data. Ctrl-C and the end of the input are no answer. */
const ask = async (question: string): Promise<string> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise((resolve) => {
      lines.once('close', () => resolve(''));
      lines.question(question, resolve);
    });
  } finally {
    lines.close();
  }
};

export const processDeps = (programs: Programs = loadPrograms()): CliDeps => ({
  stdout: outputStream(process.stdout),
  stderr: outputStream(process.stderr),
  env: process.env,
  fetch: (url, init) => fetch(url, init),
  nowMs: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal });
  },
  deadline: (ms) => AbortSignal.timeout(ms),
  onInterrupt,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
  homeDir: homedir(),
  version: packageVersion(),
  programs,
});
