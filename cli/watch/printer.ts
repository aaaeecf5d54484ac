import type { MigrationView } from './monitor.ts';

/** How a watch is shown. The watch calls; a printer draws, and knows nothing of requests or waiting. */
export interface WatchPrinter {
  /** After each look. `trouble` says why there is nothing new at the moment, or null. */
  readonly update: (views: readonly MigrationView[], trouble: string | null, nowMs: number) => void;
  /** Once, at the end, however the watch ends: leaves the terminal as it was found. */
  readonly close: () => void;
}
