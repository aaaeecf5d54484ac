import { FUNCTION_PREFIX } from './function-table.ts';
import type { LambdaRuntime } from './lambda/runtime.ts';

/** The schedule of the sweeper. Passes never overlap; the first after a start, and one an hour, reads everything. */
export interface UpkeepOptions {
  readonly runtime: Pick<LambdaRuntime, 'invokeOrThrow'>;
  readonly everyMs: number;
  readonly fullEveryMs: number;
  readonly tidyEveryMs: number;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export const runUpkeep = async (options: UpkeepOptions, signal: AbortSignal): Promise<void> => {
  let fullAt = Number.NEGATIVE_INFINITY;
  let tidyAt = options.monotonicMs();
  while (!signal.aborted) {
    const full = options.monotonicMs() - fullAt >= options.fullEveryMs;
    const tidy = options.monotonicMs() - tidyAt >= options.tidyEveryMs;
    try {
      await options.runtime.invokeOrThrow(`${FUNCTION_PREFIX}sweep`, { full, tidy }, signal);
      if (tidy) tidyAt = options.monotonicMs();
      if (full) fullAt = options.monotonicMs();
    } catch (error) {
      if (signal.aborted) return;
      options.onError(error);
    }
    await options.sleep(options.everyMs, signal).catch(() => undefined);
  }
};
