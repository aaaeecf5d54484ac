import { describe, expect, it } from 'vitest';
import type { Extent } from '../../domain/block-device.ts';
import { CHUNK, DONE } from '../../host-agent/nbd/chunk.ts';
import { ERROR, encodeReply, type Request } from '../../host-agent/nbd/protocol.ts';
import { chunk, clientOfFalse, errorBody, FALSE_CONTEXT_ID, statusBody } from './helpers/false-server.ts';
import { thrownBy } from './helpers/thrown.ts';

/** What servers say about their blocks, as they may and as they may not. */
const MIB = 1024 * 1024;
const GIB = 1024 ** 3;
const HOLE = 1;
const ZERO = 2;

type Descriptors = readonly (readonly [number, number])[];

const told = (request: Request, ...descriptors: Descriptors): Buffer =>
  chunk(request.cookie, CHUNK.BLOCK_STATUS, DONE, statusBody(FALSE_CONTEXT_ID, ...descriptors));

const extentsFrom = async (
  answer: (request: Request) => Buffer,
  change: { sizeBytes?: number; minimumBytes?: number; from?: number; lengthBytes?: number } = {},
): Promise<Extent[]> => {
  const { sizeBytes = 4 * MIB, minimumBytes = 1, from = 0, lengthBytes = sizeBytes } = change;
  const remote = await clientOfFalse({ sizeBytes, minimumBytes, answer });
  return Array.fromAsync(remote.extents(from, lengthBytes));
};

describe('the status of blocks, as another server tells it', () => {
  it('is a hole where it reads as zeroes, whether it takes up space or not, and nowhere else', async () => {
    const extents = await extentsFrom((request) =>
      told(request, [MIB, ZERO], [MIB, HOLE | ZERO], [MIB, HOLE], [MIB, 0xf0]),
    );

    expect(extents).toEqual([
      { offset: 0, lengthBytes: 2 * MIB, kind: 'hole' },
      { offset: 2 * MIB, lengthBytes: 2 * MIB, kind: 'data' },
    ]);
  });

  it('may be told piece by piece', async () => {
    const extents = await extentsFrom((request) => told(request, [Math.min(MIB, request.lengthBytes), 0]));

    expect(extents).toEqual([0, 1, 2, 3].map((i) => ({ offset: i * MIB, lengthBytes: MIB, kind: 'data' })));
  });

  it('may go on behind what was asked for', async () => {
    const extents = await extentsFrom((request) => told(request, [MIB, 0], [3 * GIB, ZERO]), { lengthBytes: 2 * MIB });

    expect(extents).toEqual([
      { offset: 0, lengthBytes: MIB, kind: 'data' },
      { offset: MIB, lengthBytes: MIB, kind: 'hole' },
    ]);
  });

  it('is asked for in multiples of the smallest block, in requests that 32 bits can hold', async () => {
    const asked: [number, number][] = [];
    const sizeBytes = 9 * GIB;

    const extents = await extentsFrom(
      (request) => {
        asked.push([request.offset, request.lengthBytes]);
        return told(request, [request.lengthBytes, ZERO]);
      },
      { sizeBytes, minimumBytes: 65_536, from: 100, lengthBytes: sizeBytes - 300 },
    );

    const most = 2 ** 32 - 65_536;
    expect(asked).toEqual([
      [0, most],
      [most, most],
      [2 * most, sizeBytes - 2 * most],
    ]);
    expect(extents[0]?.offset).toBe(100);
    expect(extents.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBe(sizeBytes - 300);
  });

  it('that fails is the error of the extents', async () => {
    const asText = extentsFrom(({ cookie }) =>
      chunk(cookie, CHUNK.ERROR, DONE, errorBody(ERROR.EIO, 'the map is torn')),
    );
    const asNumber = extentsFrom(({ cookie }) => encodeReply(ERROR.EINVAL, cookie));

    expect((await thrownBy(asText)).message).toContain('the map is torn');
    expect(await thrownBy(asNumber)).toMatchObject({ code: 'IoError' });
  });
});

describe('a server', () => {
  it.each<[string, (request: Request) => Buffer]>([
    ['tells of no length', (request) => told(request, [0, 0])],
    ['tells of no length in the middle', (request) => told(request, [MIB, 0], [0, 0], [MIB, 0])],
    ['tells of more than was asked, in several', (request) => told(request, [4 * MIB, 0], [MIB, 0])],
    ['tells of another context', ({ cookie }) => chunk(cookie, CHUNK.BLOCK_STATUS, DONE, statusBody(1, [MIB, 0]))],
    ['tells nothing', ({ cookie }) => chunk(cookie, CHUNK.NONE, DONE)],
    ['tells nothing in it', (request) => told(request)],
    ['tells half of it', ({ cookie }) => chunk(cookie, CHUNK.BLOCK_STATUS, DONE, Buffer.alloc(9, 1))],
    ['says yes and no more', ({ cookie }) => encodeReply(ERROR.OK, cookie)],
    [
      'tells it twice',
      (request) =>
        Buffer.concat([
          chunk(request.cookie, CHUNK.BLOCK_STATUS, 0, statusBody(FALSE_CONTEXT_ID, [MIB, 0])),
          told(request, [MIB, 0]),
        ]),
    ],
  ])('that %s is left', async (_what, answer) => {
    expect(await thrownBy(extentsFrom(answer))).toMatchObject({ code: 'ProtocolError' });
  });

  it('that tells of less than its smallest block, so that there is no way on, is left', async () => {
    const extents = extentsFrom((request) => told(request, [50, 0]), {
      minimumBytes: 4096,
      from: 100,
      lengthBytes: 50,
    });

    expect(await thrownBy(extents)).toMatchObject({ code: 'ProtocolError' });
  });

  it.each([0, 3, 131_072])('whose smallest block is %i is left', async (minimumBytes) => {
    const error = await thrownBy(clientOfFalse({ sizeBytes: MIB, minimumBytes, answer: () => Buffer.alloc(0) }));

    expect(error).toMatchObject({ code: 'ProtocolError' });
  });
});
