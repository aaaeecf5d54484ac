/**
 * Puts results that come in any order back into address order. What has come in order without a gap is the low-water mark:
 * only that may be named by a checkpoint.
 */
export interface Ordered<T> {
  /** Positions are counted from `from`; `span` positions are covered by one item. */
  put(position: number, span: number, item: T): void;
  readonly lowWater: number;
  /** Items that came early and wait for one before them. The caller bounds it, or one slow request would let it grow. */
  readonly early: number;
}

export const createOrdered = <T>(
  from: number,
  inOrder: (item: T, position: number, span: number) => void,
): Ordered<T> => {
  const early = new Map<number, { item: T; span: number }>();
  let lowWater = from;
  return {
    get lowWater() {
      return lowWater;
    },
    get early() {
      return early.size;
    },
    put(position, span, item) {
      early.set(position, { item, span });
      for (let next = early.get(lowWater); next; next = early.get(lowWater)) {
        early.delete(lowWater);
        inOrder(next.item, lowWater, next.span);
        lowWater += next.span;
      }
    },
  };
};
