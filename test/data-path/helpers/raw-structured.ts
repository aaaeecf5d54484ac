import { encodeMetaQuery } from '../../../host-agent/nbd/meta-context.ts';
import { encodeOption, OPTION, REPLY, SIMPLE_REPLY_MAGIC } from '../../../host-agent/nbd/protocol.ts';
import type { NbdServer } from '../../../host-agent/nbd/server.ts';
import { portOf, type RawClient, rawClient } from './raw-client.ts';

/** A raw client that has agreed on structured replies, and on base:allocation. */
export const CONTEXT_ID = 1;

export const allocationOf = (exportName: string, queries = ['base:allocation']): Buffer =>
  encodeMetaQuery({ exportName, queries });

/** Comes as far as requests. Returns the transmission flags too. */
export const structuredInside = async (server: NbdServer): Promise<RawClient & { readonly flags: number }> => {
  const raw = await rawClient(portOf(server));
  await raw.option(OPTION.STRUCTURED_REPLY);
  const { kind } = await raw.option(OPTION.SET_META_CONTEXT, allocationOf('there'));
  if (kind !== REPLY.META_CONTEXT) throw new Error(`the server has no base:allocation: ${kind}`);
  await raw.reader.take(20);
  raw.socket.write(encodeOption(OPTION.EXPORT_NAME, Buffer.from('there')));
  return { ...raw, flags: (await raw.reader.take(10)).readUInt16BE(8) };
};

export type RawReply =
  | { readonly kind: 'simple'; readonly error: number; readonly cookie: bigint }
  | {
      readonly kind: 'chunk';
      readonly type: number;
      readonly flags: number;
      readonly cookie: bigint;
      readonly body: Buffer;
    };

/** One simple reply without a payload, or one chunk. */
export const nextReply = async ({ reader }: RawClient): Promise<RawReply> => {
  const head = await reader.take(16);
  const cookie = head.readBigUInt64BE(8);
  if (head.readUInt32BE(0) === SIMPLE_REPLY_MAGIC) return { kind: 'simple', error: head.readUInt32BE(4), cookie };
  const length = (await reader.take(4)).readUInt32BE(0);
  return {
    kind: 'chunk',
    flags: head.readUInt16BE(4),
    type: head.readUInt16BE(6),
    cookie,
    body: await reader.take(length),
  };
};

/** The error of an ERROR chunk. */
export const errorOf = (reply: RawReply): { readonly error: number; readonly text: string } => {
  if (reply.kind === 'simple') return { error: reply.error, text: '' };
  return { error: reply.body.readUInt32BE(0), text: reply.body.toString('utf8', 6, 6 + reply.body.readUInt16BE(4)) };
};

/** The descriptors of a BLOCK_STATUS chunk, as pairs of length and flags. */
export const descriptorsOf = (reply: RawReply): [number, number][] => {
  if (reply.kind === 'simple' || reply.body.readUInt32BE(0) !== CONTEXT_ID) throw new Error('no status');
  const pairs: [number, number][] = [];
  for (let at = 4; at < reply.body.length; at += 8)
    pairs.push([reply.body.readUInt32BE(at), reply.body.readUInt32BE(at + 4)]);
  return pairs;
};
