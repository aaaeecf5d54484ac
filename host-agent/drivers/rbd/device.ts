import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlockDevice } from '../../../domain/block-device.ts';
import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { Child } from '../../children/child.ts';
import { connectNbd } from '../../nbd/client.ts';
import type { DriverDeps } from '../registry.ts';

/**
 * An image through qemu-nbd on a unix socket: librbd in a process of its own, which dies with the agent. It serves one client and
 * ends with it. Its block status tells which objects of the image (4 MiB each) are there; what is not there reads as zeroes.
 */
export interface ServedImage {
  readonly device: BlockDevice;
  /** Whether its process has ended, or does in a moment: a connection that breaks is heard of first. */
  hasEnded(): Promise<boolean>;
  /** What that process said last. */
  said(): string;
}

export interface ServeRequest {
  /** qemu's name for the image. */
  readonly name: string;
  readonly mode: 'ro' | 'rw';
  readonly place: string;
  readonly timeoutMs: number;
  /** Hears that the process did not end by itself: the cluster takes its client for alive for a while. */
  readonly onKilled: () => void;
  readonly signal: AbortSignal;
}

export const QEMU_NBD = { program: 'qemu-nbd', package: 'qemu-utils' };
export const BLOCK_MODULE = { program: 'block-rbd.so of qemu', package: 'qemu-block-extra' };
/** What qemu says without its module. */
export const NO_MODULE = /Unknown (?:protocol|driver) 'rbd'/;

const MOMENT_MS = 1_000;
const LOOK_EVERY_MS = 10;
/** From the end of the connection until the process has closed the image. */
const CLOSE_MS = 10_000;

/** Its arguments. Without a cache: what was answered and flushed is in the cluster, and reads come from there. */
export const serveArgs = (socket: string, { name, mode }: Pick<ServeRequest, 'name' | 'mode'>): string[] => [
  ...['--socket', socket, '--format', 'raw', '--export-name', '', '--shared', '1'],
  ...['--cache', 'none', '--discard', 'unmap', '--detect-zeroes', 'off'],
  ...(mode === 'ro' ? ['--read-only'] : []),
  name,
];

const notOpened = ({ place, timeoutMs }: ServeRequest, cause?: unknown): Error =>
  volmoveError(
    'BackendOffline',
    { place, reason: `the image could not be opened within ${Math.ceil(timeoutMs / 1000)} s` },
    { cause },
  );

/** Undefined: the socket is not there, or is there and nobody listens at it yet. Both are steps of a start, and a slow one stays in between. */
const connectOnce = async (
  path: string,
  { signal, timeoutMs: answerTimeoutMs }: ServeRequest,
): Promise<BlockDevice | undefined> => {
  try {
    return await connectNbd({ path, exportName: '', answerTimeoutMs, signal });
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
    if (cause?.code === 'ENOENT' || cause?.code === 'ECONNREFUSED') return undefined;
    throw error;
  }
};

const openingFailed = (stderr: string, place: string): Error => {
  if (NO_MODULE.test(stderr)) return volmoveError('ProgramMissing', BLOCK_MODULE);
  const text = stderr.replace(/^qemu-nbd: Failed to blk_new_open '[^']*': /m, '').trim();
  if (/not permitted|Permission denied/.test(text))
    return volmoveError('NotPermitted', {
      place,
      reason: `the client's caps do not suffice; also for reading it needs 'profile rbd' (${text})`,
    });
  if (/timed out/.test(text)) return volmoveError('BackendOffline', { place, reason: text });
  return volmoveError('BackendRefused', { place, reason: text || 'qemu-nbd ended and said nothing' });
};

/** It listens before it opens the image, and answers after that. */
const connected = async (
  child: Child,
  socket: string,
  request: ServeRequest,
  deps: DriverDeps,
): Promise<BlockDevice> => {
  const { place, timeoutMs, signal } = request;
  const deadlineMs = deps.monotonicMs() + timeoutMs;
  try {
    for (;;) {
      const device = await connectOnce(socket, request);
      if (device) return device;
      if (!child.isRunning()) throw openingFailed((await child.ended).stderr, place);
      if (deps.monotonicMs() > deadlineMs) throw notOpened(request);
      await deps.sleep(LOOK_EVERY_MS, signal);
    }
  } catch (error) {
    if (error instanceof VolmoveError) throw error;
    signal.throwIfAborted();
    if (await isOver(child.ended, deps.sleep)) throw openingFailed((await child.ended).stderr, place);
    throw notOpened(request, error);
  }
};

/** A connection that breaks is heard of before the end of the process that it led to. */
const isOver = async (ended: Promise<unknown>, sleep: DriverDeps['sleep']): Promise<boolean> => {
  const moment = new AbortController();
  const later = sleep(MOMENT_MS, moment.signal).catch(() => undefined);
  const over = ended.then(
    () => true,
    () => true,
  );
  const first = await Promise.race([over, later.then(() => false)]);
  moment.abort();
  return first;
};

/** Resolves when the process is gone: it closes the image when its client leaves, and is killed when it does not come to that. */
const endServing = async (child: Child, onKilled: () => void, afterMs: number): Promise<void> => {
  let late: NodeJS.Timeout | undefined;
  if (child.isRunning())
    late = setTimeout(() => {
      onKilled();
      child.signal('SIGKILL');
    }, afterMs);
  await child.ended.catch(() => undefined);
  clearTimeout(late);
};

export const serveImage = async (request: ServeRequest, deps: DriverDeps): Promise<ServedImage> => {
  const socket = join(deps.runDir, `${randomUUID().slice(0, 18)}.sock`);
  const child = await deps.children.start({ ...QEMU_NBD, args: serveArgs(socket, request) });
  let said = '';
  const ended = child.ended.then(({ exitCode, stderr }) => {
    said = stderr.trim();
    if (exitCode !== 0) request.onKilled();
  });
  const gone = ended.catch(() => undefined);
  child.go();
  try {
    const device = await connected(child, socket, request, deps);
    return {
      hasEnded: () => isOver(gone, deps.sleep),
      said: () => said,
      device: {
        ...device,
        async close() {
          await device.close();
          await endServing(child, request.onKilled, CLOSE_MS);
          await gone;
          await rm(socket, { force: true });
        },
      },
    };
  } catch (error) {
    await endServing(child, request.onKilled, 0);
    await gone;
    await rm(socket, { force: true });
    throw error;
  }
};
