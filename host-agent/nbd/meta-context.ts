import { MAX_NAME_BYTES } from './protocol.ts';

/** Metadata contexts during the negotiation (proto.md, "Metadata querying"). There is one: which parts of an export are holes. */
export const ALLOCATION = 'base:allocation';
/** Asks for every context of the namespace; in a list only. */
export const BASE_WILDCARD = 'base:';

export interface MetaQuery {
  readonly exportName: string;
  readonly queries: readonly string[];
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export const encodeMetaQuery = ({ exportName, queries }: MetaQuery): Buffer => {
  const sized = (text: string): Buffer[] => {
    const bytes = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  };
  const count = Buffer.alloc(4);
  count.writeUInt32BE(queries.length);
  return Buffer.concat([...sized(exportName), count, ...queries.flatMap(sized)]);
};

export const decodeMetaQuery = (data: Buffer): MetaQuery | 'malformed' | 'too long' => {
  let at = 0;
  const number = (): number | undefined => {
    at += 4;
    return at <= data.length ? data.readUInt32BE(at - 4) : undefined;
  };
  const text = (): string | undefined => {
    const length = number();
    if (length === undefined || at + length > data.length) return undefined;
    at += length;
    return data.toString('utf8', at - length, at);
  };
  const exportName = text();
  const count = number();
  if (exportName === undefined || count === undefined) return 'malformed';
  const queries: string[] = [];
  for (let i = 0; i < count; i++) {
    const query = text();
    if (query === undefined) return 'malformed';
    queries.push(query);
  }
  if (at !== data.length) return 'malformed';
  return Buffer.byteLength(exportName) > MAX_NAME_BYTES ? 'too long' : { exportName, queries };
};

/** One reply of the type META_CONTEXT. */
export const encodeContext = (id: number, name: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(id);
  return Buffer.concat([head, Buffer.from(name)]);
};

export const decodeContext = (data: Buffer): { readonly id: number; readonly name: string } | undefined =>
  data.length < 4 ? undefined : { id: data.readUInt32BE(0), name: data.toString('utf8', 4) };
