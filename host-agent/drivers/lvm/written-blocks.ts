/** Blocks that were written through a device since its map was read; it grows with what is written, and never forgets. */
const PAGE_BLOCKS = 65_536;

export interface WrittenBlocks {
  add(begin: number, end: number): void;
  /** The first block of [from, end) that was written (or was not, as asked); `end` when there is none. */
  next(from: number, end: number, written: boolean): number;
}

export const createWrittenBlocks = (): WrittenBlocks => {
  const pages = new Map<number, Uint8Array>();
  const pageOf = (block: number): number => Math.floor(block / PAGE_BLOCKS);
  return {
    add(begin, end) {
      for (let block = begin; block < end; block += 1) {
        const page = pages.get(pageOf(block)) ?? new Uint8Array(PAGE_BLOCKS / 8);
        pages.set(pageOf(block), page);
        const at = block % PAGE_BLOCKS;
        page[at >> 3] = (page[at >> 3] ?? 0) | (1 << (at & 7));
      }
    },
    next(from, end, written) {
      for (let block = from; block < end; ) {
        const page = pages.get(pageOf(block));
        const at = block % PAGE_BLOCKS;
        if (page) {
          if ((((page[at >> 3] ?? 0) & (1 << (at & 7))) !== 0) === written) return block;
          block += 1;
        } else {
          if (!written) return block;
          block += PAGE_BLOCKS - at;
        }
      }
      return end;
    },
  };
};
