/**
 * Counts what a copy reads, the only work that a crash can make it do again: what was begun at all, and what of it lies below
 * the low-water mark, which a checkpoint may name. Chunks must begin in address order.
 */
export interface Work {
  begin(chunk: number, lengthBytes: number): void;
  readonly begunBytes: number;
  /** Of all chunks below `chunks`, which must not go back. */
  settledBytes(chunks: number): number;
}

export const createWork = (): Work => {
  const open: { readonly chunk: number; readonly lengthBytes: number }[] = [];
  let begun = 0;
  let settled = 0;
  return {
    begin(chunk, lengthBytes) {
      open.push({ chunk, lengthBytes });
      begun += lengthBytes;
    },
    get begunBytes() {
      return begun;
    },
    settledBytes(chunks) {
      for (let first = open[0]; first && first.chunk < chunks; first = open[0]) {
        settled += first.lengthBytes;
        open.shift();
      }
      return settled;
    },
  };
};
