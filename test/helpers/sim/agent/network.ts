import type { BlockDevice } from '../../../../domain/block-device.ts';
import { abortReason, DataPathError, throwIfAborted } from '../../../../host-agent/device/errors.ts';
import { act } from '../../../../host-agent/nbd/act.ts';
import { type NbdTarget, noAnswer } from '../../../../host-agent/nbd/connect.ts';
import { refusal } from '../../../../host-agent/nbd/exchange.ts';
import type { LiveExport, LiveExports } from '../../../../host-agent/nbd/live-exports.ts';
import { COMMAND, ERROR, type Request } from '../../../../host-agent/nbd/protocol.ts';
import type { ResolveExport } from '../../../../host-agent/nbd/server-handshake.ts';
import type { Thread, Turns } from '../turns.ts';
import type { Actors } from './actors.ts';
import type { Sleepers } from './sleepers.ts';

/**
 * Connections between agents, as NBD has them: what is asked arrives in a turn of its own, also after whoever asked has given up
 * or died; a server that has ended the export or died takes nothing any more. The server's rules are the real ones.
 */
export interface Server {
  readonly exports: LiveExports;
  readonly resolve: ResolveExport;
  /** Its open connections; all of them break when it dies or loses its lease. */
  readonly links: Set<Link>;
  /** A thread of its process, for what one connection asks. */
  readonly newThread: (what: string) => Thread;
  /** Waits until the process is no longer frozen. */
  readonly awake: () => Promise<void>;
}

export interface Client {
  readonly hostId: string;
  readonly fingerprint: string;
  readonly sleepers: Sleepers;
  /** False when its process has died: nobody is told anything any more. */
  readonly lives: () => boolean;
}

export interface NetworkParts {
  readonly turns: Turns;
  readonly actors: Actors;
  /** The agent that listens there now; undefined: nobody. */
  readonly serverOf: (hostId: string) => Server | undefined;
}

export interface Link {
  /** The server's end: what has not arrived yet never will. */
  readonly destroy: () => void;
}

type Asked = Pick<Request, 'command' | 'offset' | 'lengthBytes'> & { readonly doing: string };

interface Open {
  readonly device: BlockDevice;
  readonly readOnly: boolean;
  readonly live: LiveExport;
  readonly serving: Thread;
}

const lost = (why: string): DataPathError => new DataPathError('ConnectionLost', why);
/** A flush may take its time. */
const FLUSH_PATIENCE = 4;

/** The client's end of one connection, with what it waits for. */
const createWaiting = (client: Client, answerTimeoutMs: number, onBroken: () => void) => {
  const waiting = new Set<(error: Error) => void>();
  let broken: Error | undefined;
  const breakAll = (error: Error): void => {
    if (broken || !client.lives()) return;
    broken = error;
    for (const reject of waiting) reject(error);
    waiting.clear();
    onBroken();
  };
  const ask = <T>(send: () => Promise<T>, patience: number, signal: AbortSignal | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      if (broken) return reject(broken);
      const aborted = (): void => breakAll(abortReason(signal as AbortSignal));
      const patienceMs = answerTimeoutMs * patience;
      const forget = client.sleepers.after(patienceMs, () => breakAll(noAnswer(patienceMs)));
      const end = (): void => {
        forget();
        signal?.removeEventListener('abort', aborted);
        waiting.delete(fail);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      signal?.addEventListener('abort', aborted, { once: true });
      waiting.add(fail);
      send().then((value) => {
        end();
        resolve(value);
      }, fail);
    });
  return { ask, breakAll };
};

export const connectOver =
  ({ turns, actors, serverOf }: NetworkParts, client: Client) =>
  async (target: NbdTarget): Promise<BlockDevice> => {
    if (!('host' in target)) throw new Error('There are no sockets of files here.');
    const { exportName, signal, host, answerTimeoutMs = 30_000 } = target;
    throwIfAborted(signal);
    let server: Server | undefined;
    let open: Open | undefined;
    let live: LiveExport | undefined;
    let ended = false;
    let underWay = 0;
    let gone = false;
    const left = (): void => {
      if (!gone || underWay > 0 || !live) return;
      live.sockets.delete(link);
      server?.links.delete(link);
      server?.exports.leave(live);
      live = undefined;
    };
    const waiting = createWaiting(client, answerTimeoutMs, () => {
      gone = true;
      left();
    });
    const link: Link = {
      destroy() {
        ended = true;
        waiting.breakAll(lost(`${host} has closed the connection`));
      },
    };
    /** What arrives at the server; it is not answered when the connection is no more. */
    const send = <T>(label: string, arrive: () => Promise<T>): Promise<T> => {
      underWay += 1;
      const act = async (): Promise<T> => {
        try {
          if (ended) throw lost(`${host} has closed the connection`);
          return await arrive();
        } finally {
          underWay -= 1;
          left();
        }
      };
      return turns.turn(actors.now().thread, label, act, { onTheNetwork: true });
    };

    const enter = async (): Promise<Open> => {
      server = serverOf(host);
      if (!server) throw lost(`${host} cannot be reached`);
      const serving = server.newThread(`serving ${exportName}`);
      server.links.add(link);
      return actors.as({ thread: serving, kind: null }, async () => {
        await server?.awake();
        const { exports, resolve, links } = server as Server;
        live = exports.enter(exportName);
        const found: Awaited<ReturnType<ResolveExport>> = live.ended
          ? { refused: 'the export is sealed', because: 'ExportSealed' }
          : await resolve(exportName, client.fingerprint).catch((error: unknown) => {
              link.destroy();
              throw lost(String(error));
            });
        if ('refused' in found) {
          ended = true;
          links.delete(link);
          exports.leave(live);
          live = undefined;
          throw new DataPathError(found.because ?? 'PeerRefused', `export ${exportName}: ${found.refused}`);
        }
        live.sockets.add(link);
        if (live.ended) link.destroy();
        return { device: found.device, readOnly: found.readOnly, live, serving };
      });
    };

    const serve = async (asked: Asked, memory: Buffer): Promise<void> => {
      const { device, readOnly, live: at, serving } = open as Open;
      await actors.as({ thread: serving, kind: null }, async () => {
        await server?.awake();
        if (ended) throw lost(`${host} has closed the connection`);
        if (at.ended) throw refusal({ error: ERROR.ESHUTDOWN, text: 'the export is sealed' }, asked);
        const request = { flags: 0, cookie: 0n, ...asked };
        const io = act({ device, readOnly, structured: true, mapped: false }, request, memory, () => undefined);
        server?.exports.track(
          at,
          io.then(() => undefined),
        );
        const { error, text = '' } = await io;
        if (error !== ERROR.OK) throw refusal({ error, text }, asked);
      });
    };
    const ask = async (asked: Asked, memory: Buffer, by: AbortSignal | undefined): Promise<void> => {
      throwIfAborted(by);
      const patience = asked.command === COMMAND.FLUSH ? FLUSH_PATIENCE : 1;
      const label = `sends to ${exportName}: ${asked.doing}`;
      await waiting.ask(() => send(label, () => serve(asked, memory)), patience, by);
    };

    open = await waiting.ask(() => send(`connects to ${exportName}`, enter), 1, signal);
    const { sizeBytes } = open.device;
    return {
      sizeBytes,
      blockSizeBytes: 4096,
      async read(offset, into, by) {
        const memory = Buffer.alloc(into.length);
        await ask({ command: COMMAND.READ, offset, lengthBytes: into.length, doing: `read at ${offset}` }, memory, by);
        into.set(memory);
      },
      write: (offset, source, by) =>
        // whoever asked may use its memory for something else as soon as it has given up
        ask(
          { command: COMMAND.WRITE, offset, lengthBytes: source.length, doing: `write at ${offset}` },
          Buffer.from(source),
          by,
        ),
      writeZeroes: (offset, lengthBytes, by) =>
        ask({ command: COMMAND.WRITE_ZEROES, offset, lengthBytes, doing: `zeroes at ${offset}` }, NO_MEMORY, by),
      flush: (by) => ask({ command: COMMAND.FLUSH, offset: 0, lengthBytes: 0, doing: 'flush' }, NO_MEMORY, by),
      async *extents(offset, lengthBytes) {
        if (lengthBytes > 0) yield { offset, lengthBytes, kind: 'data' };
      },
      close: async () => waiting.breakAll(lost('the connection was closed')),
    };
  };

const NO_MEMORY = Buffer.alloc(0);
