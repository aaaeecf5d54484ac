import type { BlockDevice } from '../../../../domain/block-device.ts';
import { DataPathError } from '../../../../host-agent/device/errors.ts';
import { act } from '../../../../host-agent/nbd/act.ts';
import { refusal } from '../../../../host-agent/nbd/exchange.ts';
import type { LiveExport } from '../../../../host-agent/nbd/live-exports.ts';
import { ERROR, type Request } from '../../../../host-agent/nbd/protocol.ts';
import type { ResolveExport } from '../../../../host-agent/nbd/server-handshake.ts';
import type { Thread } from '../turns.ts';
import type { Connection } from './connection.ts';
import { type Client, lost, type NetworkParts, type Server } from './peers.ts';

/** What the server's end of a connection does, in a thread of the server's process, by the real rules. */
export type Asked = Pick<Request, 'command' | 'offset' | 'lengthBytes'> & { readonly doing: string };

export interface Open {
  readonly device: BlockDevice;
  readonly readOnly: boolean;
  readonly live: LiveExport;
  readonly serving: Thread;
}

/** Lets the client in, or says why not. */
export const enter = async (
  { actors, serverOf }: NetworkParts,
  { fingerprint }: Client,
  { at, link }: Connection,
  { host, exportName }: { readonly host: string; readonly exportName: string },
): Promise<Open> => {
  const server = serverOf(host);
  at.server = server;
  if (!server) throw lost(`${host} cannot be reached`);
  const serving = server.newThread(`serving ${exportName}`);
  server.links.add(link);
  return actors.as({ thread: serving, kind: null }, async () => {
    await server.awake();
    const live = server.exports.enter(exportName);
    at.live = live;
    const found = await look(server, live, exportName, fingerprint).catch((error: unknown) => {
      link.destroy();
      throw lost(String(error));
    });
    if ('refused' in found) {
      at.ended = true;
      server.links.delete(link);
      server.exports.leave(live);
      at.live = undefined;
      throw new DataPathError(found.because ?? 'PeerRefused', `export ${exportName}: ${found.refused}`);
    }
    live.sockets.add(link);
    if (live.ended) link.destroy();
    return { device: found.device, readOnly: found.readOnly, live, serving };
  });
};

const look = async (
  { resolve }: Server,
  live: LiveExport,
  exportName: string,
  fingerprint: string,
): ReturnType<ResolveExport> =>
  live.ended ? { refused: 'the export is sealed', because: 'ExportSealed' } : resolve(exportName, fingerprint);

export const serve = (
  { actors }: NetworkParts,
  { at, closed }: Connection,
  { device, readOnly, live, serving }: Open,
  asked: Asked,
  memory: Buffer,
): Promise<void> =>
  actors.as({ thread: serving, kind: null }, async () => {
    await at.server?.awake();
    if (at.ended) throw closed();
    if (live.ended) throw refusal({ error: ERROR.ESHUTDOWN, text: 'the export is sealed' }, asked);
    const request = { flags: 0, cookie: 0n, ...asked };
    const io = act({ device, readOnly, structured: true, mapped: false }, request, memory, () => undefined);
    at.server?.exports.track(
      live,
      io.then(() => undefined),
    );
    const { error, text = '' } = await io;
    if (error !== ERROR.OK) throw refusal({ error, text }, asked);
  });
