import type { LiveExport } from '../../../../host-agent/nbd/live-exports.ts';
import { type Client, type Link, lost, type NetworkParts, type Server } from './peers.ts';
import { createWaiting } from './waiting.ts';

/** One connection between its two ends: what is sent over it, and when the server may forget it. */
export interface Connection {
  readonly at: Ends;
  readonly link: Link;
  readonly waiting: ReturnType<typeof createWaiting>;
  readonly closed: () => Error;
  /** What arrives at the server; it is not answered when the connection is no more. */
  readonly send: <T>(label: string, arrive: () => Promise<T>) => Promise<T>;
}

interface Ends {
  server: Server | undefined;
  /** The export that counts this connection; undefined: none does, or no longer. */
  live: LiveExport | undefined;
  /** The server takes nothing from it any more. */
  ended: boolean;
  /** The client waits for nothing any more. */
  gone: boolean;
  /** What is on its way or being served. */
  underWay: number;
}

export const createConnection = (
  { turns, actors }: NetworkParts,
  client: Client,
  host: string,
  answerTimeoutMs: number,
): Connection => {
  const at: Ends = { server: undefined, live: undefined, ended: false, gone: false, underWay: 0 };
  const closed = (): Error => lost(`${host} has closed the connection`);
  const left = (): void => {
    if (!at.gone || at.underWay > 0 || !at.live) return;
    at.live.sockets.delete(link);
    at.server?.links.delete(link);
    at.server?.exports.leave(at.live);
    at.live = undefined;
  };
  const waiting = createWaiting(client, answerTimeoutMs, () => {
    at.gone = true;
    left();
  });
  const link: Link = {
    destroy() {
      at.ended = true;
      waiting.breakAll(closed());
    },
  };
  const send = <T>(label: string, arrive: () => Promise<T>): Promise<T> => {
    at.underWay += 1;
    const act = async (): Promise<T> => {
      try {
        if (at.ended) throw closed();
        return await arrive();
      } finally {
        at.underWay -= 1;
        left();
      }
    };
    return turns.turn(actors.now().thread, label, act, { onTheNetwork: true });
  };
  return { at, link, waiting, closed, send };
};
