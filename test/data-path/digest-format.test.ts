import { describe, expect, it } from 'vitest';
import { implementation, nativeBlake3, wasmBlake3 } from '../../host-agent/digest/blake3.ts';
import { createDigest } from '../../host-agent/digest/digest.ts';
import type { DigestState } from '../../host-agent/digest/digest-state.ts';
import { CHUNK_BYTES, leafHash } from '../../host-agent/digest/tree-hash.ts';
import { thrownBy } from './helpers/thrown.ts';

describe('the format volmove-merkle-1', () => {
  it('stays what it is: a change would be another format', () => {
    const digest = createDigest(2 * CHUNK_BYTES + 3);
    digest.chunk(leafHash(Buffer.alloc(CHUNK_BYTES, 1)));
    digest.zeroes(1);
    digest.chunk(leafHash(Buffer.from('abc')));

    expect([createDigest(0).finish(), digest.finish()]).toEqual([
      'c837765444815de6db1a10b88c56b546eb45d640b9323beb30f37038174a2c97',
      'a9cf9ebc190d00853eaa14699ae1a31240960785d9292f976681a33fa59e8a05',
    ]);
  });

  it('is not gone on with from a state that is none of this volume, nor from one that was torn', async () => {
    const digest = createDigest(9 * CHUNK_BYTES);
    digest.zeroes(5);
    const good = digest.state();
    const bad: unknown[] = [
      { ...good, sizeBytes: good.sizeBytes + 1 },
      { ...good, format: 'volmove-merkle-2' },
      { ...good, chunks: 7 },
      { ...good, chunks: 10 },
      { ...good, chunks: -1 },
      { ...good, chunks: 4.5 },
      { ...good, frontier: ['00', '11'] },
      { ...good, frontier: [] },
    ];

    const errors = await Promise.all(
      bad.map((state) => thrownBy((async () => createDigest(good.sizeBytes, state as DigestState))())),
    );

    expect(errors.map((error) => error.name)).toEqual(bad.map(() => 'CheckpointMismatch'));
  });
});

describe('BLAKE3', () => {
  it('is the same by the native addon and by WebAssembly, and says which it is', async () => {
    const [native, wasm] = await Promise.all([nativeBlake3(), wasmBlake3()]);
    const parts = [Buffer.from([1, 2]), Buffer.alloc(100_000, 'noise'), Buffer.alloc(0)];

    expect(wasm.hash(...parts)).toEqual(native.hash(...parts));
    // the published test vector for no input
    expect(wasm.hash(Buffer.alloc(0)).toString('hex')).toBe(
      'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
    );
    expect([native.implementation, wasm.implementation]).toContain(implementation);
  });
});
