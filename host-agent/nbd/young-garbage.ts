import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * For sockets that cannot be read into our own memory (own-memory.ts): Node reads those into buffers of 64 KiB that live for a moment, outside of the heap that the collector watches: a long copy
 * would leave tens of megabytes of them behind before it looks. A young collection every few megabytes keeps an agent's memory
 * at its windows (docs/performance.md).
 */
const EVERY_BYTES = 4 * 1024 * 1024;

type CollectYoung = (options: { type: 'minor' }) => void;

const load = (): CollectYoung => {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectYoung;
};

let collect: CollectYoung | undefined;
let sinceBytes = 0;

/** To be told of every byte that came from a socket. */
export const cameFromSocket = (lengthBytes: number): void => {
  sinceBytes += lengthBytes;
  if (sinceBytes < EVERY_BYTES) return;
  sinceBytes = 0;
  collect ??= load();
  collect({ type: 'minor' });
};
