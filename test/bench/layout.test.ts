import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedChunks, dataRuns, MIB, scatteredRuns } from '../../bench/copy/layout.ts';

const sizes = fc.integer({ min: 1, max: 4096 }).map((mebibytes) => mebibytes * MIB);

describe('the sparse volume', () => {
  it('has a quarter of it allocated, in runs that follow each other with holes between and stay inside', () => {
    fc.assert(
      fc.property(sizes, (sizeBytes) => {
        const runs = dataRuns(sizeBytes);

        expect(runs.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBe(sizeBytes / 4);
        let end = 0;
        for (const { offset, lengthBytes } of runs) {
          expect(offset).toBeGreaterThan(end);
          expect(offset % 4096).toBe(0);
          end = offset + lengthBytes;
        }
        expect(end).toBeLessThanOrEqual(sizeBytes);
      }),
    );
  });

  it('has runs from a few KiB to several MiB', () => {
    const lengths = dataRuns(2048 * MIB).map(({ lengthBytes }) => lengthBytes);

    expect(Math.min(...lengths)).toBeLessThan(64 * 1024);
    expect(Math.max(...lengths)).toBeGreaterThan(4 * MIB);
  });

  it('is the same every time', () => {
    expect(dataRuns(64 * MIB)).toEqual(dataRuns(64 * MIB));
  });
});

describe('the changed volume', () => {
  it('differs in one chunk of a hundred, each named once', () => {
    fc.assert(
      fc.property(sizes, (sizeBytes) => {
        const chunks = changedChunks(sizeBytes);

        expect(chunks.length).toBe(Math.max(1, Math.round(sizeBytes / MIB / 100)));
        expect(new Set(chunks).size).toBe(chunks.length);
        for (const chunk of chunks) expect(chunk * MIB).toBeLessThan(sizeBytes);
      }),
    );
  });
});

describe('the nearly empty volume', () => {
  it('has its data spread over all of it', () => {
    const size = 64 * 1024 * 1024 * MIB;

    const runs = scatteredRuns(size, 300 * MIB);

    expect(runs).toHaveLength(300);
    expect(runs.at(-1)?.offset).toBeGreaterThan(size * 0.99);
    expect(runs.at(-1)?.offset).toBeLessThan(size);
  });
});
