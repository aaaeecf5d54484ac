/**
 * BLAKE3, by the native addon (about 5 GB/s) or, where that cannot be loaded, by WebAssembly (about 0.7 GB/s). Which one it
 * is can be asked, so that nobody wonders why a copy is slow.
 */
export interface Blake3 {
  readonly implementation: '@napi-rs/blake-hash' | 'hash-wasm';
  /** The hash of the parts one after the other, 32 bytes. */
  hash(...parts: readonly Buffer[]): Buffer;
}

/** Up to here it is cheaper to put the parts together than to make a hasher for them: three times for the node of a tree. */
const SMALL_BYTES = 128;

export const nativeBlake3 = async (): Promise<Blake3> => {
  const { blake3: oneShot, Blake3Hasher } = await import('@napi-rs/blake-hash');
  return {
    implementation: '@napi-rs/blake-hash',
    hash(...parts) {
      const totalBytes = parts.reduce((sum, part) => sum + part.length, 0);
      if (totalBytes <= SMALL_BYTES) return oneShot(Buffer.concat(parts, totalBytes));
      const hasher = new Blake3Hasher();
      for (const part of parts) hasher.update(part);
      return hasher.digestBuffer();
    },
  };
};

export const wasmBlake3 = async (): Promise<Blake3> => {
  const { createBLAKE3 } = await import('hash-wasm');
  const hasher = await createBLAKE3();
  return {
    implementation: 'hash-wasm',
    hash(...parts) {
      hasher.init();
      for (const part of parts) hasher.update(part);
      return Buffer.from(hasher.digest('binary'));
    },
  };
};

/** An addon that is missing for this platform is what the fallback is there for; any reason counts. */
export const blake3 = await nativeBlake3().catch(wasmBlake3);

export const implementation: string = blake3.implementation;
