import type { Failure } from '../../domain/error.ts';
import type { VolmoveEvent } from '../../domain/event.ts';
import type { ExecutionStatus, Executions, HostQueues, Machine, Notifier, TaskResults } from '../../domain/ports.ts';

/** The world around a use case, as a test sees it: everything that was said to it is written down. */

export interface FakeNotifier extends Notifier {
  readonly told: VolmoveEvent[];
}

export const fakeNotifier = (): FakeNotifier => {
  const told: VolmoveEvent[] = [];
  return {
    told,
    notify: async (events) => {
      told.push(...events);
    },
  };
};

export type TaskAnswer =
  | { readonly token: string; readonly ok: true; readonly output: object }
  | { readonly token: string; readonly ok: false; readonly failure: Failure };

export interface FakeTasks extends TaskResults {
  readonly answers: TaskAnswer[];
  /** Tokens that the state machine does not wait for (any more). */
  readonly rejects: Set<string>;
}

export const fakeTasks = (): FakeTasks => {
  const answers: TaskAnswer[] = [];
  const rejects = new Set<string>();
  const hear = (answer: TaskAnswer): 'told' | 'rejected' => {
    if (rejects.has(answer.token)) return 'rejected';
    answers.push(answer);
    return 'told';
  };
  return {
    answers,
    rejects,
    succeed: async (token, output) => hear({ token, ok: true, output }),
    fail: async (token, failure) => hear({ token, ok: false, failure }),
  };
};

export interface FakeQueues extends HostQueues {
  readonly looks: string[];
}

export const fakeQueues = (): FakeQueues => {
  const looks: string[] = [];
  return {
    looks,
    look: async (hostId) => {
      looks.push(hostId);
    },
  };
};

export interface FakeExecutions extends Executions {
  /** Machine and name of everything that was started, in order, with its input. */
  readonly started: { readonly machine: Machine; readonly name: string; readonly input: object }[];
  /** Ends an execution, or lets one exist that nobody here has started. */
  readonly set: (name: string, status: ExecutionStatus) => void;
}

export const fakeExecutions = (): FakeExecutions => {
  const started: FakeExecutions['started'] = [];
  const statuses = new Map<string, ExecutionStatus>();
  return {
    started,
    set: (name, status) => void statuses.set(name, status),
    start: async (machine, name, input) => {
      if (statuses.has(name)) return 'existed';
      statuses.set(name, { state: 'RUNNING', cause: '' });
      started.push({ machine, name, input });
      return 'started';
    },
    status: async (_machine, name) => statuses.get(name),
  };
};
