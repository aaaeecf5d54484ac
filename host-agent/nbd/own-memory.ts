import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Has Node read a socket into memory of ours instead of into a new buffer for every 16 KiB of TLS or 64 KiB of TCP, which halves
 * what receiving costs a processor (docs/performance.md). Node offers it as `onread` where it opens a connection itself, but not
 * for a connection that was accepted, nor for TLS that begins in the middle of one. Both are served by the same three properties,
 * which are found here by what `onread` sets. A Node without them is read from by its events.
 */
export interface OwnMemory {
  /** Where the next bytes go, at least one; asked before each read, and what it returned may not be touched until then. */
  next(): Buffer;
  /** `lengthBytes` have come to the start of `memory`, which `next` returned. */
  arrived(lengthBytes: number, memory: Buffer): void;
}

interface Handle {
  useUserBuffer?(memory: Buffer): void;
}
type Inside = Duplex & { _handle?: Handle | null } & Record<symbol, unknown>;

const symbols = (() => {
  const probe = new Socket({ onread: { buffer: Buffer.alloc(1), callback: () => true } });
  const all = Object.getOwnPropertySymbols(probe);
  probe.destroy();
  const named = (name: string): symbol | undefined => all.find(({ description }) => description === name);
  const [memory, arrived, next] = [named('kBuffer'), named('kBufferCb'), named('kBufferGen')];
  return memory && arrived && next ? { memory, arrived, next } : undefined;
})();

/** False when this Node, or this kind of socket, knows no such thing: nothing was changed then. */
export const readIntoOwn = (socket: Duplex, { next, arrived }: OwnMemory): boolean => {
  const inside = socket as Inside;
  if (!symbols || !inside._handle?.useUserBuffer) return false;
  const first = next();
  inside[symbols.memory] = first;
  inside[symbols.next] = next;
  inside[symbols.arrived] = (lengthBytes: number, memory: Buffer): boolean => {
    arrived(lengthBytes, memory);
    return true;
  };
  inside._handle.useUserBuffer(first);
  return true;
};
