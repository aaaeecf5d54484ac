// A transition in the making: the interpreter notes events and frames here, and nothing is real until it is written.
import type { Definition } from '../definition/types.ts';
import type { ExpressionEnvironment } from '../expressions/functions.ts';
import type { Json } from '../json.ts';
import type { Ending, Frame, Progress, Transition } from './frame.ts';
import { type HistoryEvent, historyEvent } from './history.ts';

/** What stays the same during an execution. */
export interface RunContext {
  readonly machine: { readonly arn: string; readonly name: string; readonly definition: Definition };
  readonly execution: {
    readonly arn: string;
    readonly name: string;
    readonly inputText: string;
    readonly input: Json;
    readonly startMs: number;
    readonly roleArn: string;
  };
  readonly region: string;
  readonly environment: Pick<ExpressionEnvironment, 'nowMs' | 'random'>;
  /** A token that names this execution and cannot be guessed. */
  newToken(): string;
}

export interface Draft {
  readonly context: RunContext;
  readonly nowMs: number;
  /** The time of this draft's events: now, yet never before the events that are written, should the clock go back. */
  readonly eventMs: number;
  /** The frame as it stands in this draft. Throws when it is gone: the interpreter has lost its way. */
  frame(id: string): Frame;
  /** The iterations of a Map state's frame, by index. */
  children(parentId: string): Frame[];
  put(frame: Frame): void;
  drop(id: string): void;
  /** Appends an event that follows the frame's last one; returns the frame with it. */
  event(frame: Frame, type: string, details?: Readonly<Record<string, unknown>>): Frame;
  /** Appends an event of the whole execution; `previousEventId` is 0 for those that follow no state. */
  executionEvent(previousEventId: number, type: string, details: Readonly<Record<string, unknown>>): number;
  /** The time of a state's entry, later than that of every entry before. */
  nextEntryMs(): number;
  end(ending: Ending): void;
  finish(): Transition;
}

export function createDraft(context: RunContext, progress: Progress): Draft {
  const nowMs = context.environment.nowMs();
  const eventMs = Math.max(nowMs, progress.lastEventMs);
  const events: HistoryEvent[] = [];
  const changed = new Map<string, Frame | null>();
  let { lastEventId, lastEnteredMs } = progress;
  let ending: Ending | null = null;

  const append = (previousEventId: number, type: string, details?: Readonly<Record<string, unknown>>): number => {
    lastEventId += 1;
    events.push(historyEvent({ id: lastEventId, previousEventId, atMs: eventMs, type, details }));
    return lastEventId;
  };
  const find = (id: string) => (changed.has(id) ? (changed.get(id) ?? undefined) : progress.frames.get(id));
  const allIds = () => new Set([...progress.frames.keys(), ...changed.keys()]);

  return {
    context,
    nowMs,
    eventMs,
    frame(id) {
      const frame = find(id);
      if (frame === undefined) throw new Error(`The execution ${context.execution.arn} has no frame '${id}'`);
      return frame;
    },
    children: (parentId) =>
      [...allIds()]
        .flatMap((id) => find(id) ?? [])
        .filter((frame) => frame.iteration?.parentId === parentId)
        .sort((one, other) => (one.iteration?.index ?? 0) - (other.iteration?.index ?? 0)),
    put: (frame) => changed.set(frame.id, frame),
    drop: (id) => changed.set(id, null),
    event(frame, type, details) {
      const id = append(frame.lastEventId, type, details);
      const moved = { ...frame, lastEventId: id };
      changed.set(frame.id, moved);
      return moved;
    },
    executionEvent: append,
    nextEntryMs() {
      lastEnteredMs = Math.max(eventMs, lastEnteredMs + 1);
      return lastEnteredMs;
    },
    end: (how) => {
      ending = how;
    },
    // An ended execution has no frames to go on from.
    finish: () => ({ events, frames: ending === null ? Object.fromEntries(changed) : {}, ending }),
  };
}
