import type { Scratch } from '../scratch.ts';

/** What every case needs. */
export interface CaseDeps {
  readonly rounds: number;
  readonly scratch: Scratch;
  /** Our own program, ready to run. */
  readonly ours: string;
  /** What runs now, in words. */
  readonly onRun: (what: string) => void;
  readonly signal: AbortSignal;
}
