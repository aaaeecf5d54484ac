// The durable state of an execution: one frame for the machine, and one for each iteration of a running Map state.
// A transition is the unit of the journal: history events and the frames they change, written in one line.
import type { Json } from '../json.ts';
import type { HistoryEvent } from './history.ts';

export interface Iteration {
  readonly parentId: string;
  readonly index: number;
}

export interface Frame {
  /** `main`, or the parent's id, a slash and the iteration's index. */
  readonly id: string;
  /** The iteration that this frame runs; null for the machine's own frame. */
  readonly iteration: Iteration | null;
  readonly state: string;
  readonly input: Json;
  /** The variables of this frame's own scope. */
  readonly variables: Readonly<Record<string, Json>>;
  /** Never equal for two entries of one execution: workers order their task tokens by it. */
  readonly enteredAtMs: number;
  readonly enteredEventId: number;
  readonly lastEventId: number;
  /** Retries done in this visit of the state, by index of its retrier. */
  readonly retries: readonly number[];
  readonly phase: Phase;
}

/** What the frame is waiting for. Everything needed to go on after a restart is in here. */
export type Phase =
  | { readonly kind: 'entered' }
  | { readonly kind: 'sleeping'; readonly untilMs: number }
  | { readonly kind: 'retrying'; readonly untilMs: number }
  /** The call has not been answered; after a restart it is made again. The token is valid from here on. */
  | {
      readonly kind: 'calling';
      readonly arguments: Json;
      readonly token: string | null;
      readonly deadlineMs: number | null;
    }
  | { readonly kind: 'awaiting'; readonly token: string; readonly deadlineMs: number | null }
  | { readonly kind: 'mapping'; readonly items: readonly Json[]; readonly concurrency: number }
  /** The iteration has ended and waits for the others. */
  | { readonly kind: 'iterated'; readonly output: Json };

export const MAIN_FRAME = 'main';

export type Ending =
  | { readonly status: 'SUCCEEDED'; readonly stopMs: number; readonly output: string }
  | {
      readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
      readonly stopMs: number;
      readonly error: string | null;
      readonly cause: string | null;
    };

export type ExecutionStatus = 'RUNNING' | Ending['status'];

export interface Transition {
  readonly events: readonly HistoryEvent[];
  /** The frames that changed; null for those that are gone. */
  readonly frames: Readonly<Record<string, Frame | null>>;
  readonly ending: Ending | null;
}

/** What all transitions so far amount to. */
export interface Progress {
  readonly frames: Map<string, Frame>;
  lastEventId: number;
  lastEventMs: number;
  lastEnteredMs: number;
  ending: Ending | null;
}

export function createProgress(): Progress {
  return { frames: new Map(), lastEventId: 0, lastEventMs: 0, lastEnteredMs: 0, ending: null };
}

export function applyTransition(progress: Progress, transition: Transition): void {
  for (const [id, frame] of Object.entries(transition.frames)) {
    if (frame === null) {
      progress.frames.delete(id);
      continue;
    }
    progress.frames.set(id, frame);
    progress.lastEnteredMs = Math.max(progress.lastEnteredMs, frame.enteredAtMs);
  }
  const last = transition.events.at(-1);
  if (last !== undefined) {
    progress.lastEventId = last.id;
    progress.lastEventMs = Math.round(last.timestamp * 1000);
  }
  if (transition.ending === null) return;
  progress.ending = transition.ending;
  progress.frames.clear();
}
