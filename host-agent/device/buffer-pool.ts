import { alignedBuffers } from './aligned.ts';

/** Aligned windows that are lent to copies and read-backs and used again: a copy must not leave its window to the garbage collector. */
export interface BufferPool {
  /** Runs `act` with a window of its own. */
  lend<T>(act: (window: readonly Buffer[]) => Promise<T>): Promise<T>;
}

export const createBufferPool = (countEach: number, sizeBytes: number): BufferPool => {
  const free: (readonly Buffer[])[] = [];
  return {
    async lend(act) {
      const window = free.pop() ?? alignedBuffers(countEach, sizeBytes);
      try {
        return await act(window);
      } finally {
        free.push(window);
      }
    },
  };
};
