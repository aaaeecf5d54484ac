import { type Layout, type Moved, minus, NOTHING, workOf } from './layout.ts';

/**
 * Tells what a copy has moved twice: everything that was moved between two interruptions, less what lies between the
 * checkpoints that the copy went on from. The account is closed with the copy, so nothing is left out.
 */
export interface Ledger {
  /** `moved`: by all processes since the copy began. `markBytes`: where the copy goes on from. */
  interrupted(moved: Moved, markBytes: number): Moved;
  readonly markBytes: number;
}

export const createLedger = (layout: Layout): Ledger => {
  const work = workOf(layout);
  let movedBefore = NOTHING;
  let markBytes = 0;
  return {
    interrupted(moved, mark) {
      const useful = minus(work(mark), work(markBytes));
      const twice = minus(minus(moved, movedBefore), useful);
      movedBefore = moved;
      markBytes = mark;
      return twice;
    },
    get markBytes() {
      return markBytes;
    },
  };
};
