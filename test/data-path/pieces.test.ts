import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, type Piece, pieces } from '../../host-agent/copy/chunks.ts';
import { createOrdered } from '../../host-agent/copy/ordered.ts';
import { chunkCount, chunkLength } from '../../host-agent/digest/digest.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import { deviceWith, layouts } from './helpers/layout.ts';
import { memoryDevice } from './helpers/memory-device.ts';

const spanOf = (piece: Piece): number => (piece.kind === 'zeroes' ? piece.count : 1);

describe('the pieces of a device', () => {
  it('cover every chunk from the start chunk on once, in order, and call no chunk with data a hole', async () => {
    await fc.assert(
      fc.asyncProperty(layouts, fc.nat(), async (layout, from) => {
        const device = await deviceWith(layout);
        const total = chunkCount(layout.sizeBytes);
        const first = from % (total + 1);

        const found = await Array.fromAsync(pieces(device, layout.sizeBytes, first));

        let next = first;
        for (const piece of found) {
          expect(piece.chunk).toBe(next);
          next += spanOf(piece);
          if (piece.kind === 'data') expect(piece.lengthBytes).toBe(chunkLength(layout.sizeBytes, piece.chunk));
          else {
            const [start, end] = [piece.chunk * CHUNK_BYTES, bytesOf(next, layout.sizeBytes)];
            expect(device.content.subarray(start, end).every((byte) => byte === 0)).toBe(true);
          }
        }
        expect(next).toBe(total);
      }),
      { numRuns: 40 },
    );
  });

  it('join a run of holes into one piece, however long', async () => {
    const device = memoryDevice(5 * CHUNK_BYTES);
    await device.write(2 * CHUNK_BYTES + 5, Buffer.from('x'));

    const found = await Array.fromAsync(pieces(device, device.sizeBytes, 0));

    expect(found).toEqual([
      { kind: 'zeroes', chunk: 0, count: 2 },
      { kind: 'data', chunk: 2, lengthBytes: CHUNK_BYTES },
      { kind: 'zeroes', chunk: 3, count: 2 },
    ]);
  });
});

describe('results that come in any order', () => {
  it('are handed on in address order, never beyond a gap', () => {
    const cases = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 }).chain((spans) =>
      fc.record({
        spans: fc.constant(spans),
        order: fc.shuffledSubarray([...spans.keys()], { minLength: spans.length }),
      }),
    );
    fc.assert(
      fc.property(cases, fc.nat({ max: 100 }), ({ spans, order }, from) => {
        const starts = spans.map((_, i) => from + spans.slice(0, i).reduce((sum, span) => sum + span, 0));
        const handedOn: number[] = [];
        const put = new Set<number>();
        const ordered = createOrdered<number>(from, (item, position, span) => {
          handedOn.push(item);
          expect([position, span]).toEqual([starts[item], spans[item]]);
        });

        for (const i of order) {
          put.add(i);
          ordered.put(starts[i] as number, spans[i] as number, i);

          const firstMissing = spans.findIndex((_, j) => !put.has(j));
          expect(handedOn).toEqual([...spans.keys()].slice(0, firstMissing === -1 ? spans.length : firstMissing));
          expect(ordered.lowWater).toBe(
            firstMissing === -1 ? from + spans.reduce((a, b) => a + b, 0) : starts[firstMissing],
          );
        }
      }),
    );
  });
});
