import { isPassing } from '../errors.ts';

/**
 * For commands that look again and again: a service that restarts is waited for, one that was never there is not, and one
 * that stays away is given up.
 */
export interface Patience {
  /** An answer came. */
  readonly answered: () => void;
  /** What to tell meanwhile; throws the error itself when waiting makes no sense any more. */
  readonly failed: (error: unknown) => string;
}

const GIVE_UP_AFTER_MS = 5 * 60_000;

export const createPatience = (nowMs: () => number): Patience => {
  let everAnswered = false;
  let sinceMs: number | null = null;
  return {
    answered: () => {
      everAnswered = true;
      sinceMs = null;
    },
    failed: (error) => {
      sinceMs ??= nowMs();
      if (!everAnswered || !isPassing(error) || nowMs() - sinceMs >= GIVE_UP_AFTER_MS) throw error;
      const what = error instanceof Error ? error.message : String(error);
      return `${what} Trying again; migrations go on meanwhile.`;
    },
  };
};
