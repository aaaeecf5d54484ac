// A state machine after loading: every field checked, every expression compiled. Nothing here is optional by accident.
import type { Template } from '../expressions/template.ts';
import type { TaskResource } from './resources.ts';

export type Assignments = readonly (readonly [name: string, value: Template])[];

/** What a state makes of its data on the way out; `output` undefined means the default of its kind. */
export interface Effects {
  readonly output: Template | undefined;
  readonly assign: Assignments;
}

export interface Retrier {
  readonly errorEquals: readonly string[];
  readonly intervalSeconds: number;
  readonly backoffRate: number;
  readonly maxAttempts: number;
  readonly maxDelaySeconds: number;
  readonly jitter: 'FULL' | 'NONE';
}

export interface Catcher extends Effects {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

export interface Handlers {
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

export interface ChoiceRule extends Effects {
  readonly condition: Template;
  readonly next: string;
}

interface Named {
  readonly name: string;
}

/** `next` is null at the end of the scope (`End: true`). */
interface Flowing extends Named, Effects {
  readonly next: string | null;
}

export interface PassState extends Flowing {
  readonly type: 'Pass';
}

export interface WaitState extends Flowing {
  readonly type: 'Wait';
  readonly until: { readonly kind: 'Seconds' | 'Timestamp'; readonly template: Template };
}

export interface TaskState extends Flowing, Handlers {
  readonly type: 'Task';
  readonly resource: TaskResource;
  readonly arguments: Template | undefined;
  readonly timeoutSeconds: Template | undefined;
}

export interface MapState extends Flowing, Handlers {
  readonly type: 'Map';
  readonly items: Template | undefined;
  readonly itemSelector: Template | undefined;
  readonly maxConcurrency: Template | undefined;
  /** The first state of an iteration. */
  readonly startAt: string;
}

/** `output` and `assign` are those of the Default branch. */
export interface ChoiceState extends Named, Effects {
  readonly type: 'Choice';
  readonly choices: readonly ChoiceRule[];
  readonly default: string | undefined;
}

export interface SucceedState extends Named {
  readonly type: 'Succeed';
  readonly output: Template | undefined;
}

export interface FailState extends Named {
  readonly type: 'Fail';
  readonly error: Template | undefined;
  readonly cause: Template | undefined;
}

export type State = PassState | WaitState | TaskState | MapState | ChoiceState | SucceedState | FailState;

export type StateType = State['type'];

/** State names are unique in a whole machine, so one table holds the states of every scope. */
export interface Definition {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
  readonly timeoutSeconds: number | undefined;
}
