import { readFile } from 'node:fs/promises';
import type { Child, ChildEnd, Children } from '../children/child.ts';
import { ALIGNMENT_BYTES } from '../device/aligned.ts';
import { throwIfAborted } from '../device/errors.ts';
import { copyArguments, probeArguments } from './arguments.ts';
import { failureOf } from './end.ts';

/** Runs dd and watches it: how far it is, whether it is to rest, and that it has ended before this returns, however it does. */
export interface DdRequest {
  readonly source: string;
  /** Is there already, with at least `sizeBytes`. */
  readonly destination: string;
  readonly sizeBytes: number;
  /** True only when the destination is known to read as zeroes wherever nothing was written. */
  readonly destinationIsZero: boolean;
  /** Bytes that dd has gone past, from the start without a gap; never goes back. Also called when nothing has moved. */
  readonly onCopied: (bytes: number) => void;
  /** It is stopped until the pause is over. */
  readonly onResting: () => void;
  readonly isPaused: () => boolean;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Kills it at once. */
  readonly signal: AbortSignal;
}

export const POLL_MS = 250;
const COREUTILS = { program: 'dd', package: 'coreutils' };

/** The offset of its output, which also grows where it seeks over zeroes; undefined when it has none (proc(5), fdinfo). */
const positionOf = async (pid: number): Promise<number | undefined> => {
  const info = await readFile(`/proc/${pid}/fdinfo/1`, 'utf8').catch(() => '');
  const position = /^pos:\s*(\d+)$/m.exec(info)?.[1];
  return position === undefined ? undefined : Number(position);
};

const runToEnd = async (
  children: Children,
  args: readonly string[],
  signal: AbortSignal,
  watch: (child: Child, ended: AbortSignal) => Promise<void> = async () => undefined,
): Promise<ChildEnd> => {
  throwIfAborted(signal);
  const child = await children.start({ ...COREUTILS, args });
  const over = new AbortController();
  const kill = (): void => child.signal('SIGKILL');
  const ended = child.ended.finally(() => over.abort());
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (signal.aborted) kill();
    child.go();
    await watch(child, over.signal);
    return await ended;
  } finally {
    // only a watch that failed leaves it running
    if (!over.signal.aborted) kill();
    await Promise.allSettled([ended]);
    signal.removeEventListener('abort', kill);
  }
};

const watching =
  ({ sizeBytes, onCopied, onResting, isPaused, sleep }: DdRequest) =>
  async (child: Child, ended: AbortSignal): Promise<void> => {
    let resting = false;
    let copied = 0;
    while (!ended.aborted) {
      if (isPaused() !== resting) {
        resting = !resting;
        child.signal(resting ? 'SIGSTOP' : 'SIGCONT');
      }
      if (resting) onResting();
      else onCopied(copied);
      await sleep(POLL_MS, ended).catch((error: unknown) => {
        if (!ended.aborted) throw error;
      });
      const position = await positionOf(child.pid);
      // the number of a process that has ended may be another's
      if (position !== undefined && child.isRunning()) copied = Math.min(sizeBytes, Math.max(copied, position));
    }
  };

export const runDd = async (children: Children, request: DdRequest): Promise<void> => {
  const { sizeBytes, signal } = request;
  const takes = async (flag: 'iflag=direct' | 'oflag=direct'): Promise<boolean> => {
    // a last block that is no whole one cannot be read or written past the cache everywhere
    if (sizeBytes % ALIGNMENT_BYTES !== 0) return false;
    const { exitCode } = await runToEnd(children, probeArguments(request, flag), signal);
    return exitCode === 0;
  };
  const direct = { input: await takes('iflag=direct'), output: await takes('oflag=direct') };
  const args = copyArguments({ ...request, sparse: request.destinationIsZero, direct });
  const end = await runToEnd(children, args, signal, watching(request));
  throwIfAborted(signal);
  const failure = failureOf(end, sizeBytes);
  if (failure) throw failure;
  request.onCopied(sizeBytes);
};
