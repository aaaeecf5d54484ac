/**
 * The one abstraction of the data path (design section 4): something with a size that can be read and written in place.
 * Implementations: a local file or block device, and an NBD connection. Offsets and lengths are in bytes; every method
 * may be called many times concurrently, also for ranges that overlap (the caller orders those that must be ordered).
 */
export interface BlockDevice {
  /** Bytes that can be addressed: 0 <= offset, offset + length <= sizeBytes. */
  readonly sizeBytes: number;
  /** Smallest unit that this device writes well, in bytes; a power of two, 1 when it does not matter. */
  readonly blockSizeBytes: number;
  /** Fills `target` whole from `offset`; rejects on a short read, never returns fewer bytes. */
  read(offset: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Writes `source` whole at `offset`. Durable only after `flush`. */
  write(offset: number, source: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Makes [offset, offset + length) read as zeroes, without giving back the promise that holes stay holes where they were. */
  writeZeroes(offset: number, lengthBytes: number, signal?: AbortSignal): Promise<void>;
  /**
   * Zeroes like writeZeroes, on conditions. False: they cannot be kept, and what was there may still be there. A device without
   * this method keeps none.
   */
  zeroAs?(offset: number, lengthBytes: number, wish: ZeroWish, signal?: AbortSignal): Promise<boolean>;
  /**
   * Says that nobody needs [offset, offset + length) any more. Advice: nothing may have happened, and what a read gives
   * afterwards is unknown, so this never makes zeroes.
   */
  trim?(offset: number, lengthBytes: number, signal?: AbortSignal): Promise<void>;
  /** After this resolves, every write answered before it was called is durable. A failed flush is never repeated. */
  flush(signal?: AbortSignal): Promise<void>;
  /** Runs of [offset, offset + length) in ascending order, without gaps or overlap. `hole` reads as zeroes. */
  extents(offset: number, lengthBytes: number, signal?: AbortSignal): AsyncIterable<Extent>;
  close(): Promise<void>;
}

export interface ZeroWish {
  /** Sooner than writing the zeroes, or not at all. */
  readonly fast: boolean;
  /** The range takes up its space afterwards, so that a later write there cannot fail for want of it. */
  readonly allocated: boolean;
}

export interface Extent {
  readonly offset: number;
  readonly lengthBytes: number;
  readonly kind: 'data' | 'hole';
}
