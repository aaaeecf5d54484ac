import fc from 'fast-check';

/**
 * How much is tried: the same cases every time unless VOLMOVE_FUZZ_RUNS asks for another number of them, which are then new ones
 * (a failure prints the seed that brings it back).
 */
const asked = Number(process.env.VOLMOVE_FUZZ_RUNS ?? 0);

export const runs = (byDefault: number): { numRuns: number; seed?: number } =>
  asked > 0 ? { numRuns: asked } : { numRuns: byDefault, seed: 20_260 };

/** For the time-out of a test: more cases take longer. */
export const FUZZ_MS = 60_000 + asked * 50;

/** One change to a string of bytes; `at` is a place in it, as a share. */
type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bits: number }
  | { readonly kind: 'number'; readonly at: number; readonly value: number }
  | { readonly kind: 'drop'; readonly at: number; readonly count: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly count: number }
  | { readonly kind: 'cut'; readonly at: number };

const at = fc.double({ min: 0, max: 1, noNaN: true });
const edges = fc.constantFrom(0, 1, 2, 3, 9, 0x7fff, 0x8001, 0xffff, 2 ** 20, 2 ** 25 + 1, 2 ** 31, 2 ** 32 - 1);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, bits: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('number' as const), at, value: edges }),
  fc.record({ kind: fc.constant('drop' as const), at, count: fc.integer({ min: 1, max: 16 }) }),
  fc.record({ kind: fc.constant('insert' as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 32 }) }),
  fc.record({ kind: fc.constant('repeat' as const), at, count: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('cut' as const), at }),
);

const applied = (bytes: Buffer, one: Change): Buffer => {
  const place = Math.min(bytes.length, Math.floor(one.at * bytes.length));
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (one.kind) {
    case 'flip': {
      const copy = Buffer.from(bytes);
      if (place < copy.length) copy.writeUInt8(copy.readUInt8(place) ^ one.bits, place);
      return copy;
    }
    case 'number': {
      const copy = Buffer.from(bytes);
      if (place + 4 <= copy.length) copy.writeUInt32BE(one.value, place);
      return copy;
    }
    case 'drop':
      return Buffer.concat([before, after.subarray(one.count)]);
    case 'insert':
      return Buffer.concat([before, one.bytes, after]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, one.count), after]);
    case 'cut':
      return before;
    default:
      return one satisfies never;
  }
};

export const mutations = fc.array(change, { minLength: 1, maxLength: 4 });

export const mutated = (bytes: Buffer, changes: readonly Change[]): Buffer => changes.reduce(applied, bytes);
