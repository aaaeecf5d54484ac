// A running execution: one transition at a time, each written before anything comes of it.
//
// What has to happen next (a step, a call, a timer) follows from the frames alone. So a start after kill -9 is nothing
// special: the frames are read from the journal and activated, as after every transition.
import type { Clock } from '../clock.ts';
import type { TaskState } from '../definition/types.ts';
import { STATES_TIMEOUT, StateFailure } from '../failure.ts';
import type { Json } from '../json.ts';
import { advance } from './advance.ts';
import { createDraft, type Draft, type RunContext } from './draft.ts';
import { endFromOutside, endTooLong } from './ending.ts';
import { stateOf } from './flow.ts';
import { applyTransition, type Ending, type Frame, type Progress, type Transition } from './frame.ts';
import { MAX_EVENTS } from './history.ts';
import { taskAnswered, taskFailed, taskSucceeded } from './states/task.ts';
import { createTimers, type Timers } from './timers.ts';
import { wake } from './wake.ts';

export interface ExecutionServices {
  readonly clock: Clock;
  /** Writes a transition to the journal, or throws. */
  write(transition: Transition): void;
  /** Makes a task's call; rejects with a StateFailure when the task failed. */
  call(state: TaskState, given: Json): Promise<Json>;
  onEnd(ending: Ending): void;
  onFault(error: Error): void;
}

export type TaskOutcome = { readonly result: Json } | { readonly failure: StateFailure };

type Step = (draft: Draft, frame: Frame) => Promise<void> | void;

/** The key of the machine's own time-out among the timers; frames have ids of at least one character. */
const MACHINE_TIMEOUT = '';

export class LiveExecution {
  readonly context: RunContext;
  readonly #progress: Progress;
  readonly #services: ExecutionServices;
  readonly #timers: Timers;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  #fault: Error | null = null;

  constructor(context: RunContext, progress: Progress, services: ExecutionServices) {
    this.context = context;
    this.#progress = progress;
    this.#services = services;
    this.#timers = createTimers(services.clock);
  }

  /** Sets everything going that the frames call for. Once, after creation. */
  activate(): void {
    const { timeoutSeconds } = this.context.machine.definition;
    if (timeoutSeconds !== undefined) {
      const deadlineMs = this.context.execution.startMs + timeoutSeconds * 1000;
      this.#timers.set(MACHINE_TIMEOUT, deadlineMs, () => {
        const timeOut = (draft: Draft) => endFromOutside(draft, 'TIMED_OUT', STATES_TIMEOUT, null);
        this.#exclusively(() => this.#transit(timeOut)).catch(this.#halt);
      });
    }
    for (const frame of [...this.#progress.frames.values()]) this.#activateFrame(frame);
  }

  /** Ends the task that waits for the token; false when none does. Rejects when the journal cannot be written. */
  completeTask(token: string, outcome: TaskOutcome): Promise<boolean> {
    return this.#exclusively(async () => {
      const frame = this.#holder(token);
      if (frame === undefined) return false;
      const state = this.#taskOf(frame);
      await this.#transit((draft) =>
        'result' in outcome
          ? taskSucceeded(draft, frame, state, outcome.result)
          : taskFailed(draft, frame, state, outcome.failure),
      );
      return true;
    });
  }

  hasToken(token: string): boolean {
    return this.#holder(token) !== undefined;
  }

  /** Ends the execution from outside. Does nothing when it has ended. */
  stop(error: string | null, cause: string | null): Promise<void> {
    return this.#exclusively(() => this.#transit((draft) => endFromOutside(draft, 'ABORTED', error, cause)));
  }

  /** Stops and writes nothing more; resolves when the transition under way, if any, is done with. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timers.clear();
    await this.#queue;
  }

  /** Runs after everything that was queued before, so that an execution has one draft at a time. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #transit(step: (draft: Draft) => Promise<void> | void): Promise<void> {
    if (this.#fault !== null) throw this.#fault;
    if (this.#closed || this.#progress.ending !== null) return;
    const draft = createDraft(this.context, this.#progress);
    await step(draft);
    let transition = draft.finish();
    if ((transition.events.at(-1)?.id ?? 0) > MAX_EVENTS) {
      transition = endTooLong(createDraft(this.context, this.#progress));
    }
    const isEmpty = transition.events.length === 0 && Object.keys(transition.frames).length === 0;
    if (isEmpty || this.#isClosed()) return;
    this.#services.write(transition);
    applyTransition(this.#progress, transition);
    this.#follow(transition);
  }

  /** Asked again after an await, during which it may have changed. */
  #isClosed(): boolean {
    return this.#closed;
  }

  #follow(transition: Transition): void {
    if (transition.ending !== null) {
      this.#timers.clear();
      this.#services.onEnd(transition.ending);
      return;
    }
    for (const [id, frame] of Object.entries(transition.frames)) {
      this.#timers.cancel(id);
      if (frame !== null) this.#activateFrame(frame);
    }
  }

  #activateFrame(frame: Frame): void {
    const { phase } = frame;
    switch (phase.kind) {
      case 'entered':
        // A turn of the event loop for every state: a machine that only passes does not starve the process.
        setImmediate(() => this.#later(frame, advance));
        return;
      case 'sleeping':
      case 'retrying':
        this.#wakeAt(frame, phase.untilMs);
        return;
      case 'calling':
        this.#call(frame, phase.arguments);
        this.#wakeAt(frame, phase.deadlineMs);
        return;
      case 'awaiting':
        this.#wakeAt(frame, phase.deadlineMs);
        return;
      case 'mapping':
        this.#later(frame, wake);
        return;
      case 'iterated': {
        const parent = this.#progress.frames.get(frame.iteration?.parentId ?? '');
        if (parent !== undefined) this.#later(parent, wake);
        return;
      }
    }
  }

  #wakeAt(frame: Frame, atMs: number | null): void {
    if (atMs !== null) this.#timers.set(frame.id, atMs, () => this.#later(frame, wake));
  }

  /** Queues a step that nobody waits for; it is skipped when its frame has moved on. */
  #later(frame: Frame, step: Step): void {
    this.#exclusively(async () => {
      const isCurrent = this.#progress.frames.get(frame.id) === frame;
      if (isCurrent) await this.#transit((draft) => step(draft, frame));
    }).catch(this.#halt);
  }

  #call(frame: Frame, given: Json): void {
    const state = this.#taskOf(frame);
    this.#services.call(state, given).then(
      (result) => this.#later(frame, (draft) => taskAnswered(draft, frame, state, result)),
      (error: unknown) => {
        if (this.#closed) return;
        if (error instanceof StateFailure) this.#later(frame, (draft) => taskFailed(draft, frame, state, error));
        else this.#halt(error);
      },
    );
  }

  /** The execution stays where its journal ends; the next start goes on from there. */
  readonly #halt = (error: unknown): void => {
    if (this.#fault !== null) return;
    this.#timers.clear();
    this.#fault = new Error(`The execution ${this.context.execution.arn} cannot go on`, { cause: error });
    this.#services.onFault(this.#fault);
  };

  #holder(token: string): Frame | undefined {
    return [...this.#progress.frames.values()].find(({ phase }) => 'token' in phase && phase.token === token);
  }

  #taskOf(frame: Frame): TaskState {
    const state = stateOf(this, frame.state);
    if (state.type === 'Task') return state;
    throw new Error(`The state '${frame.state}' of ${this.context.execution.arn} is no Task, yet it waits for one`);
  }
}
