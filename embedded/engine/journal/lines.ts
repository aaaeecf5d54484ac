// The lines of a journal: the first says what was started, each further one is a transition, the last one sums up.
import type { ExecutionStatus, Transition } from '../run/frame.ts';

/** Raised when a later version writes lines that this one could not read. */
export const JOURNAL_VERSION = 1;

export interface StartRecord {
  readonly version: number;
  readonly machine: string;
  readonly name: string;
  readonly input: string;
  readonly startMs: number;
  /** Which stored definition the execution runs by, to its end. */
  readonly definition: string;
}

/** All that a list of executions needs; the end of an ended journal, so that a start reads little. */
export interface Summary {
  readonly name: string;
  readonly status: ExecutionStatus;
  readonly startMs: number;
  readonly stopMs: number | null;
}

export interface StartLine {
  readonly start: StartRecord;
  readonly transition: Transition;
}

export interface TransitionLine {
  readonly transition: Transition;
}

export interface SummaryLine {
  readonly ended: Summary;
}

export function lineText(line: StartLine | TransitionLine | SummaryLine): string {
  return `${JSON.stringify(line)}\n`;
}
