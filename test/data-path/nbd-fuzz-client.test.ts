import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataPathError } from '../../host-agent/device/errors.ts';
import { CHUNK, DONE } from '../../host-agent/nbd/chunk.ts';
import { ERROR } from '../../host-agent/nbd/protocol.ts';
import {
  chunk,
  clientOfFalse,
  dataBody,
  errorBody,
  FALSE_CONTEXT_ID,
  holeBody,
  statusBody,
} from './helpers/false-server.ts';
import { FUZZ_MS, mutated, mutations, runs } from './helpers/fuzz.ts';

/** A server that answers with anything: our client has an error or what was sent, and never a byte beside its target. */
const SIZE_BYTES = 1024 * 1024;
const FROM = 4096;
const LENGTH = 64;
const MARGIN = 32;

/** What the export has at an offset; never zero, so that a hole is told from it. */
const byteAt = (offset: number): number => 1 + (offset % 255);
const contentAt = (offset: number, lengthBytes: number): Buffer =>
  Buffer.from(Array.from({ length: lengthBytes }, (_, i) => byteAt(offset + i)));

/** One chunk of a reply, as a server may have meant it. */
type Piece =
  | { readonly kind: 'data' | 'hole'; readonly offset: number; readonly lengthBytes: number; readonly done: boolean }
  | { readonly kind: 'error' | 'none'; readonly done: boolean };

const near = fc.integer({ min: FROM - 2, max: FROM + LENGTH + 2 });
const content = (kind: 'data' | 'hole'): fc.Arbitrary<Piece> =>
  fc.record({ kind: fc.constant(kind), offset: near, lengthBytes: fc.nat({ max: LENGTH }), done: fc.boolean() });
const pieces = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: content('data') },
    { weight: 2, arbitrary: content('hole') },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('error' as const, 'none' as const), done: fc.boolean() }),
    },
  ),
  { maxLength: 8 },
);

/** A legal reply: the whole in pieces in any order, some of them holes, and an end. */
const legalPieces: fc.Arbitrary<Piece[]> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: LENGTH - 1 }), { maxLength: 7 }),
    fc.array(fc.nat(), { minLength: 8 }),
  )
  .map(([cuts, dice]) => {
    const edges = [0, ...cuts.toSorted((a, b) => a - b), LENGTH];
    const parts = edges.slice(1).map((end, i): [number, Piece] => {
      const from = edges[i] ?? 0;
      const die = dice[i % dice.length] ?? 0;
      const kind = die % 3 === 0 ? ('hole' as const) : ('data' as const);
      return [die, { kind, offset: FROM + from, lengthBytes: end - from, done: false }];
    });
    const shuffled = parts.toSorted(([a], [b]) => a - b).map(([, piece]) => piece);
    return [...shuffled, { kind: 'none', done: true }];
  });

/** A legal reply with one thing wrong with it. */
const spoiltPieces: fc.Arbitrary<Piece[]> = fc
  .tuple(legalPieces, fc.nat(), fc.constantFrom('again', 'shifted', 'longer', 'left out', 'early end'))
  .map(([all, die, spoilt]) => {
    const at = die % all.length;
    const [before, after] = [all.slice(0, at), all.slice(at + 1)];
    const piece = all[at];
    if (piece?.kind !== 'data' && piece?.kind !== 'hole') return all.slice(0, -1);
    switch (spoilt) {
      case 'again':
        return [...before, piece, piece, ...after];
      case 'shifted':
        return [...before, { ...piece, offset: piece.offset + (die % 2 === 0 ? 1 : -1) }, ...after];
      case 'longer':
        return [...before, { ...piece, lengthBytes: piece.lengthBytes + 1 }, ...after];
      case 'left out':
        return [...before, ...after];
      default:
        return [...before, { ...piece, done: true }, ...after];
    }
  });

const encode = (cookie: bigint, piece: Piece): Buffer => {
  const flags = piece.done ? DONE : 0;
  switch (piece.kind) {
    case 'data':
      return chunk(
        cookie,
        CHUNK.OFFSET_DATA,
        flags,
        dataBody(piece.offset, contentAt(piece.offset, piece.lengthBytes)),
      );
    case 'hole':
      return chunk(cookie, CHUNK.OFFSET_HOLE, flags, holeBody(piece.offset, piece.lengthBytes));
    case 'error':
      return chunk(cookie, CHUNK.ERROR, flags, errorBody(ERROR.EIO, 'wet'));
    case 'none':
      return chunk(cookie, CHUNK.NONE, flags);
    default:
      return piece satisfies never;
  }
};

/** What the protocol makes of the pieces, byte by byte; 'lost' when they end before the reply does. */
const meaning = (all: readonly Piece[]): Buffer | 'illegal' | 'error' | 'lost' => {
  const target = Buffer.alloc(LENGTH);
  const covered = new Set<number>();
  let failed = false;
  for (const piece of all) {
    if (piece.kind === 'none' && !piece.done) return 'illegal';
    if (piece.kind === 'error') failed = true;
    if (piece.kind === 'data' || piece.kind === 'hole') {
      if (piece.lengthBytes === 0) return 'illegal';
      for (let at = piece.offset; at < piece.offset + piece.lengthBytes; at++) {
        if (at < FROM || at >= FROM + LENGTH || covered.has(at)) return 'illegal';
        covered.add(at);
        target.writeUInt8(piece.kind === 'data' ? byteAt(at) : 0, at - FROM);
      }
    }
    if (piece.done) return failed ? 'error' : covered.size === LENGTH ? target : 'illegal';
  }
  return 'lost';
};

/** Reads once, from a server that ends the connection behind its answer: who waits for more hears that it will not come. */
const readOnce = async (answer: (cookie: bigint) => Buffer) => {
  const remote = await clientOfFalse({
    sizeBytes: SIZE_BYTES,
    answer: ({ cookie }) => ({ last: answer(cookie) }),
  });
  const memory = Buffer.alloc(MARGIN + LENGTH + MARGIN, 0xee);
  const target = memory.subarray(MARGIN, MARGIN + LENGTH);
  const error = await remote.read(FROM, target).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const around = Buffer.concat([memory.subarray(0, MARGIN), memory.subarray(MARGIN + LENGTH)]);
  expect(around.equals(Buffer.alloc(2 * MARGIN, 0xee))).toBe(true);
  await remote.close();
  return { error, target };
};

const CODES = { illegal: 'ProtocolError', error: 'IoError', lost: 'ConnectionLost' } as const;

describe('a client', () => {
  it(
    'takes every legal reply for what it means, and no other',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.oneof(pieces, legalPieces, spoiltPieces), async (all) => {
          const { error, target } = await readOnce((cookie) =>
            Buffer.concat(all.map((piece) => encode(cookie, piece))),
          );

          const meant = meaning(all);
          if (typeof meant === 'string') expect(error).toMatchObject({ code: CODES[meant] });
          else {
            expect(error).toBeUndefined();
            expect(target.equals(meant)).toBe(true);
          }
        }),
        runs(200),
      );
    },
    FUZZ_MS,
  );

  it(
    'has an error or an answer when a reply is broken on the way',
    async () => {
      const codes = ['ProtocolError', 'ConnectionLost', 'IoError', 'NoSpace', 'ExportSealed'];

      await fc.assert(
        fc.asyncProperty(legalPieces, mutations, async (all, changes) => {
          const { error } = await readOnce((cookie) =>
            mutated(Buffer.concat(all.map((piece) => encode(cookie, piece))), changes),
          );

          if (error !== undefined) expect(codes).toContain((error as DataPathError).code);
        }),
        runs(200),
      );
    },
    FUZZ_MS,
  );

  it(
    'has an error or extents without a gap, whatever it is told of blocks',
    async () => {
      const descriptors = fc.array(
        fc.tuple(fc.oneof(fc.nat({ max: SIZE_BYTES }), fc.constantFrom(0, 2 ** 32 - 1)), fc.nat({ max: 7 })),
        { minLength: 1, maxLength: 6 },
      );

      await fc.assert(
        fc.asyncProperty(fc.array(descriptors, { minLength: 1 }), fc.option(mutations), async (answers, changes) => {
          let nth = 0;
          const remote = await clientOfFalse({
            sizeBytes: SIZE_BYTES,
            answer({ cookie }) {
              const some = answers[nth++] ?? [];
              const bytes = chunk(cookie, CHUNK.BLOCK_STATUS, DONE, statusBody(FALSE_CONTEXT_ID, ...some));
              if (nth < answers.length) return bytes;
              return { last: changes ? mutated(bytes, changes) : bytes };
            },
          });
          let at = FROM;
          try {
            for await (const { offset, lengthBytes } of remote.extents(FROM, SIZE_BYTES - FROM)) {
              expect([offset, lengthBytes > 0]).toEqual([at, true]);
              at += lengthBytes;
            }
            expect(at).toBe(SIZE_BYTES);
          } catch (error) {
            if (!(error instanceof DataPathError)) throw error;
          }
          await remote.close();
        }),
        runs(120),
      );
    },
    FUZZ_MS,
  );
});
