import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK, DONE } from '../../host-agent/nbd/chunk.ts';
import { ERROR, encodeReply, type Request } from '../../host-agent/nbd/protocol.ts';
import {
  chunk,
  clientOfFalse,
  dataBody,
  errorBody,
  FALSE_CONTEXT_ID,
  holeBody,
  statusBody,
} from './helpers/false-server.ts';
import { thrownBy } from './helpers/thrown.ts';

/** Replies in chunks, as a server may send them and as it may not; the client reads [1000, 1016) of 1 MiB. */
const SIZE_BYTES = 1024 * 1024;
const FROM = 1000;
const LENGTH = 16;
const MARGIN = 8;
const CONTENT = Buffer.from('0123456789abcdef');

const { NONE, OFFSET_DATA, OFFSET_HOLE, BLOCK_STATUS, ERROR: ERR, ERROR_OFFSET } = CHUNK;

type Chunks = (cookie: bigint, request: Request) => Buffer[];

const part = (cookie: bigint, from: number, end: number, flags = 0): Buffer =>
  chunk(cookie, OFFSET_DATA, flags, dataBody(FROM + from, CONTENT.subarray(from, end)));

/** What the read gives, and what stands around its target. */
const readFrom = async (chunks: Chunks) => {
  const remote = await clientOfFalse({
    sizeBytes: SIZE_BYTES,
    answer: (request) => Buffer.concat(chunks(request.cookie, request)),
  });
  const memory = Buffer.alloc(MARGIN + LENGTH + MARGIN, 0xee);
  const target = memory.subarray(MARGIN, MARGIN + LENGTH);
  const error = await remote.read(FROM, target).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  const around = Buffer.concat([memory.subarray(0, MARGIN), memory.subarray(MARGIN + LENGTH)]);
  expect(around.equals(Buffer.alloc(2 * MARGIN, 0xee))).toBe(true);
  return { remote, error, content: target.toString() };
};

describe('a reply in chunks', () => {
  it.each<[string, Chunks]>([
    ['in one that is the last', (c) => [part(c, 0, 16, DONE)]],
    ['in one and an end', (c) => [part(c, 0, 16), chunk(c, NONE, DONE)]],
    ['in two in order', (c) => [part(c, 0, 7), part(c, 7, 16, DONE)]],
    ['in three out of order', (c) => [part(c, 9, 16), part(c, 0, 4), part(c, 4, 9), chunk(c, NONE, DONE)]],
    ['with flags that nobody knows', (c) => [part(c, 0, 16, DONE | 0x80)]],
  ])('is put together when it comes %s', async (_how, chunks) => {
    const { error, content } = await readFrom(chunks);

    expect(error).toBeUndefined();
    expect(content).toBe(CONTENT.toString());
  });

  it('has zeroes where it has holes', async () => {
    const { content } = await readFrom((c) => [
      part(c, 12, 16),
      chunk(c, OFFSET_HOLE, 0, holeBody(FROM + 4, 8)),
      part(c, 0, 4, DONE),
    ]);

    expect(content).toBe(`0123${'\0'.repeat(8)}cdef`);
  });

  it('of any number of pieces in any order is the content', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 15 })),
        fc.infiniteStream(fc.nat()),
        async (cuts, keys) => {
          const edges = [0, ...cuts.toSorted((a, b) => a - b), 16];
          const pieces = edges.slice(1).map((end, i) => ({ from: edges[i] ?? 0, end, key: keys.next().value }));
          pieces.sort((a, b) => a.key - b.key);

          const { error, content } = await readFrom((c) => [
            ...pieces.map(({ from, end }) => part(c, from, end)),
            chunk(c, NONE, DONE),
          ]);

          expect([error, content]).toEqual([undefined, CONTENT.toString()]);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  it('may come between those of others', async () => {
    const waiting: bigint[] = [];
    const remote = await clientOfFalse({
      sizeBytes: SIZE_BYTES,
      answer({ cookie }) {
        waiting.push(cookie);
        const [a, b] = waiting;
        if (a === undefined || b === undefined) return Buffer.alloc(0);
        return Buffer.concat([part(b, 8, 16), part(a, 0, 8), part(b, 0, 8, DONE), part(a, 8, 16, DONE)]);
      },
    });
    const targets = [Buffer.alloc(LENGTH), Buffer.alloc(LENGTH)];

    await Promise.all(targets.map((target) => remote.read(FROM, target)));

    for (const target of targets) expect(target).toEqual(CONTENT);
  });
});

describe('an error in chunks', () => {
  it.each<[string, Chunks]>([
    ['alone', (c) => [chunk(c, ERR, DONE, errorBody(ERROR.EIO, 'the disk is wet'))]],
    ['with more to come', (c) => [chunk(c, ERR, 0, errorBody(ERROR.EIO, 'the disk is wet')), part(c, 0, 8, DONE)]],
    ['behind content', (c) => [part(c, 0, 16), chunk(c, ERR, DONE, errorBody(ERROR.EIO, 'the disk is wet'))]],
    ['at an offset', (c) => [chunk(c, ERROR_OFFSET, DONE, errorBody(ERROR.EIO, 'the disk is wet', FROM + 3))]],
    ['of a kind that is not known', (c) => [chunk(c, 0x8123, DONE, errorBody(ERROR.EIO, 'the disk is wet'))]],
    [
      'before another',
      (c) => [
        chunk(c, ERROR_OFFSET, 0, errorBody(ERROR.EIO, 'the disk is wet', FROM)),
        chunk(c, ERROR_OFFSET, DONE, errorBody(ERROR.ENOSPC, 'and full', FROM + 1)),
      ],
    ],
  ])('%s is the error of its request, in its words, and the connection goes on', async (_how, chunks) => {
    let asked = 0;

    const { error, remote } = await readFrom((c) =>
      asked++ === 0 ? chunks(c, {} as Request) : [part(c, 0, 16, DONE)],
    );

    expect(error).toMatchObject({ code: 'IoError', message: expect.stringContaining('the disk is wet') });
    await expect(remote.read(FROM, Buffer.alloc(LENGTH))).resolves.toBeUndefined();
  });

  it('is told of a write too', async () => {
    const remote = await clientOfFalse({
      sizeBytes: SIZE_BYTES,
      answer: ({ cookie }) => chunk(cookie, ERR, DONE, errorBody(ERROR.ENOSPC, 'the pool is full')),
    });

    const error = await thrownBy(remote.write(0, Buffer.from('x')));

    expect(error).toMatchObject({ code: 'NoSpace', message: expect.stringContaining('the pool is full') });
  });
});

describe('a server that breaks the rules of chunks', () => {
  it.each<[string, Chunks]>([
    ['answers a read simply', (c) => [encodeReply(ERROR.OK, c), CONTENT]],
    ['refuses a read simply', (c) => [encodeReply(ERROR.EIO, c)]],
    ['sends the same place twice', (c) => [part(c, 0, 8), part(c, 7, 16, DONE)]],
    ['sends a hole over data', (c) => [part(c, 0, 16), chunk(c, OFFSET_HOLE, DONE, holeBody(FROM, 1))]],
    ['sends what is before', (c) => [chunk(c, OFFSET_DATA, 0, dataBody(FROM - 1, CONTENT))]],
    ['sends what is behind', (c) => [chunk(c, OFFSET_DATA, 0, dataBody(FROM + 1, CONTENT))]],
    ['sends what is far behind', (c) => [chunk(c, OFFSET_DATA, 0, Buffer.concat([Buffer.alloc(8, 0xff), CONTENT]))]],
    ['sends more than was asked for', (c) => [chunk(c, OFFSET_DATA, 0, dataBody(FROM, Buffer.alloc(17)))]],
    ['sends a chunk of data without data', (c) => [chunk(c, OFFSET_DATA, 0, dataBody(FROM, Buffer.alloc(0)))]],
    ['sends a chunk of data without an offset', (c) => [chunk(c, OFFSET_DATA, 0, Buffer.alloc(3))]],
    ['sends a hole of no length', (c) => [chunk(c, OFFSET_HOLE, 0, holeBody(FROM, 0))]],
    ['sends a hole that is too long', (c) => [chunk(c, OFFSET_HOLE, 0, holeBody(FROM, 17))]],
    ['sends a hole of 4 GiB', (c) => [chunk(c, OFFSET_HOLE, 0, holeBody(FROM, 0xffffffff))]],
    ['sends a hole with more in it', (c) => [chunk(c, OFFSET_HOLE, 0, Buffer.alloc(13))]],
    ['ends before all is there', (c) => [part(c, 0, 15), chunk(c, NONE, DONE)]],
    ['ends at once', (c) => [chunk(c, NONE, DONE)]],
    ['ends without an end', (c) => [part(c, 0, 16), chunk(c, NONE, 0)]],
    ['ends with something in it', (c) => [part(c, 0, 16), chunk(c, NONE, DONE, Buffer.alloc(1))]],
    ['sends a status', (c) => [chunk(c, BLOCK_STATUS, DONE, statusBody(FALSE_CONTEXT_ID, [16, 0]))]],
    ['sends a type that is not known', (c) => [chunk(c, 9, DONE)]],
    ['sends an error that is none', (c) => [chunk(c, ERR, DONE, errorBody(0, ''))]],
    ['sends an error that is cut off', (c) => [chunk(c, ERR, DONE, Buffer.alloc(5))]],
    ['sends an error whose text is longer than it', (c) => [chunk(c, ERR, DONE, Buffer.from([0, 0, 0, 5, 0, 9, 65]))]],
    ['sends an endless error', (c) => [chunk(c, ERR, DONE, Buffer.alloc(100_000, 1))]],
    ['sends an error of another place', (c) => [chunk(c, ERROR_OFFSET, DONE, errorBody(ERROR.EIO, '', FROM + 16))]],
    ['sends an error without its place', (c) => [chunk(c, ERROR_OFFSET, DONE, errorBody(ERROR.EIO, ''))]],
    ['sends errors without end', (c) => Array.from({ length: 1025 }, () => chunk(c, ERR, 0, errorBody(ERROR.EIO, '')))],
    ['answers simply in the middle', (c) => [part(c, 0, 8), encodeReply(ERROR.OK, c)]],
    ['answers what was not asked', (c) => [chunk(c + 1n, NONE, DONE)]],
    ['answers twice', (c) => [part(c, 0, 16, DONE), chunk(c, NONE, DONE)]],
  ])('and %s is left, and nothing is written beside the target', async (_what, chunks) => {
    const { error, remote } = await readFrom(chunks);

    const later = await thrownBy(remote.read(FROM, Buffer.alloc(LENGTH)));

    expect(error ?? later).toMatchObject({ code: 'ProtocolError' });
    expect(later).toMatchObject({ code: 'ProtocolError' });
  });

  it('that were not agreed on is left', async () => {
    const remote = await clientOfFalse({
      sizeBytes: SIZE_BYTES,
      structured: false,
      answer: ({ cookie }) => part(cookie, 0, 16, DONE),
    });

    expect(await thrownBy(remote.read(FROM, Buffer.alloc(LENGTH)))).toMatchObject({ code: 'ProtocolError' });
  });
});
