/**
 * Bounds what is under way on one connection, in requests and in bytes. A request that is larger than the bound is let
 * through alone, or it would wait for ever.
 */
export interface Slots {
  /** Resolves when there is room and takes it; in the order of asking. */
  take(bytes: number): Promise<void>;
  give(bytes: number): void;
  /** Resolves when nothing is taken. */
  idle(): Promise<void>;
}

export interface SlotLimits {
  readonly requests: number;
  readonly bytes: number;
}

export const createSlots = ({ requests, bytes: maxBytes }: SlotLimits): Slots => {
  const waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];
  const idlers: (() => void)[] = [];
  let taken = 0;
  let takenBytes = 0;

  const admit = (): void => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (taken > 0 && (taken >= requests || takenBytes + next.bytes > maxBytes)) return;
      waiting.shift();
      taken += 1;
      takenBytes += next.bytes;
      next.resolve();
    }
    if (taken === 0) for (const idle of idlers.splice(0)) idle();
  };

  return {
    take: (bytes) =>
      new Promise((resolve) => {
        waiting.push({ bytes, resolve });
        admit();
      }),
    give(bytes) {
      taken -= 1;
      takenBytes -= bytes;
      admit();
    },
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        admit();
      }),
  };
};
