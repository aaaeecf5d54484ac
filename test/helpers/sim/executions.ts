import type { Clock, ExecutionStatus, Executions, Machine, TaskResults } from '../../../domain/ports.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { FUNCTIONS } from './functions.ts';
import { DEFINITIONS, evaluate, functionOf, matches, type Scope, type State } from './machine.ts';
import type { Thread, Turns } from './turns.ts';

/** Executions of the real state machine files: Lambdas are threads of their own, starred states wait for their token. */

export interface Execution {
  readonly machine: Machine;
  readonly name: string;
  readonly input: object;
  status: ExecutionStatus;
  /** The state it is in, and the task it waits for, when it does. */
  state: string;
  task: RunningTask | undefined;
  readonly thread: Thread;
}

export type TaskOutcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly Error: string; readonly Cause: string };

export interface RunningTask {
  readonly token: string;
  readonly deadlineMs: number;
  readonly end: (outcome: TaskOutcome) => void;
}

export interface Engine {
  readonly executions: () => readonly Execution[];
  readonly executionsOf: (thread: Thread) => Executions;
  readonly tasksOf: (thread: Thread) => TaskResults;
  /** Stopped by hand, or States.Runtime: nothing catches it. */
  readonly abort: (execution: Execution, state: 'ABORTED' | 'FAILED') => void;
  readonly timeOut: (execution: Execution) => void;
  readonly timeOutWhatIsDue: () => void;
}

export interface EngineParts {
  readonly turns: Turns;
  readonly clock: Clock;
  readonly depsOf: (thread: Thread, functionName: string) => Deps;
  readonly newLambda: (name: string) => Thread;
  readonly onEnd: (execution: Execution) => void;
  readonly onError: (error: unknown) => void;
}

interface Frame {
  variables: Record<string, unknown>;
  input: unknown;
}

const failureOf = (error: unknown): TaskOutcome => {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { ok: false, Error: name, Cause: JSON.stringify({ errorType: name, errorMessage: message }) };
};

const invokeTask = async (
  parts: EngineParts,
  execution: Execution,
  state: State,
  scope: Scope,
  token: string,
): Promise<TaskOutcome> => {
  const waits = state.Resource?.endsWith('.waitForTaskToken') ?? false;
  const name = functionOf(state);
  const payload = await evaluate(state.Arguments?.Payload, scope);
  const seconds = Number(await evaluate(state.TimeoutSeconds, scope));
  if (!Number.isInteger(seconds) || seconds <= 0) throw new Error(`${execution.state} has no usable TimeoutSeconds`);
  const invoke = FUNCTIONS[name];
  if (!invoke) throw new Error(`There is no function ${name}.`);
  return new Promise((resolve) => {
    const end = (outcome: TaskOutcome): void => {
      if (execution.task === task) execution.task = undefined;
      resolve(outcome);
    };
    const task: RunningTask = { token: waits ? token : '', deadlineMs: parts.clock.nowMs() + seconds * 1000, end };
    execution.task = task;
    const thread = parts.newLambda(`${execution.name} ${execution.state}`);
    thread.onDeath = () => end({ ok: false, Error: 'Lambda.Unknown', Cause: 'The function died.' });
    invoke(parts.depsOf(thread, name), payload).then(
      (result) => waits || end({ ok: true, result: { Payload: JSON.parse(JSON.stringify(result)) } }),
      (error: unknown) => end(failureOf(error)),
    );
  });
};

/** A Task with its retries and its catch; returns the next state, or undefined when the execution has failed. */
const runTask = async (
  parts: EngineParts,
  execution: Execution,
  state: State,
  frame: Frame,
): Promise<string | undefined> => {
  const entered = new Date(parts.clock.nowMs()).toISOString();
  const tries = new Map<number, number>();
  for (let retry = 0; ; retry++) {
    await parts.turns.turn(execution.thread, `${execution.name} enters ${execution.state}`, () => undefined);
    const token = `${execution.name}/${execution.state}/${entered}/${retry}`;
    const context = { Task: { Token: token }, State: { EnteredTime: entered, RetryCount: retry } };
    const states = { input: frame.input, context };
    const outcome = await invokeTask(parts, execution, state, { variables: frame.variables, states }, token);
    if (execution.status.state !== 'RUNNING') return undefined;
    if (outcome.ok) {
      const scope = { variables: frame.variables, states: { ...states, result: outcome.result } };
      frame.input = state.Output === undefined ? outcome.result : await evaluate(state.Output, scope);
      if (state.Assign) frame.variables = { ...frame.variables, ...((await evaluate(state.Assign, scope)) as object) };
      return state.Next;
    }
    const retrier = state.Retry?.findIndex((r) => matches(r.ErrorEquals, outcome.Error)) ?? -1;
    const tried = tries.get(retrier) ?? 0;
    if (retrier >= 0 && tried < (state.Retry?.[retrier]?.MaxAttempts ?? 3)) {
      tries.set(retrier, tried + 1);
      continue;
    }
    const thrown = { Error: outcome.Error, Cause: outcome.Cause };
    const catcher = state.Catch?.find((c) => matches(c.ErrorEquals, outcome.Error));
    if (!catcher) {
      execution.status = { state: 'FAILED', cause: `${outcome.Error}: ${outcome.Cause}` };
      return undefined;
    }
    const scope = { variables: frame.variables, states: { ...states, errorOutput: thrown } };
    if (catcher.Assign)
      frame.variables = { ...frame.variables, ...((await evaluate(catcher.Assign, scope)) as object) };
    frame.input = thrown;
    return catcher.Next;
  }
};

const nextState = async (
  parts: EngineParts,
  execution: Execution,
  state: State,
  frame: Frame,
): Promise<string | undefined> => {
  const scope = { variables: frame.variables, states: { input: frame.input } };
  switch (state.Type) {
    case 'Task':
      return runTask(parts, execution, state, frame);
    case 'Pass':
      if (state.Assign) frame.variables = { ...frame.variables, ...((await evaluate(state.Assign, scope)) as object) };
      return state.Next;
    case 'Choice':
      for (const { Condition, Next } of state.Choices ?? []) {
        if ((await evaluate(Condition, scope)) === true) return Next;
      }
      return state.Default;
    case 'Succeed':
      execution.status = { state: 'SUCCEEDED', cause: '' };
      return undefined;
    case 'Fail':
      execution.status = {
        state: 'FAILED',
        cause: `${String(await evaluate(state.Error, scope))}: ${String(await evaluate(state.Cause, scope))}`,
      };
      return undefined;
    default:
      throw new Error(`A simulated execution knows no state of type ${state.Type}.`);
  }
};

const run = async (parts: EngineParts, execution: Execution): Promise<void> => {
  const { StartAt, States } = DEFINITIONS[execution.machine];
  const frame: Frame = { variables: {}, input: execution.input };
  let next: string | undefined = StartAt;
  while (next !== undefined && execution.status.state === 'RUNNING') {
    execution.state = next;
    const state: State | undefined = States[next];
    if (!state) throw new Error(`There is no state ${next}.`);
    next = await nextState(parts, execution, state, frame);
  }
  if (execution.status.state === 'RUNNING') throw new Error(`${execution.name} has no state after ${execution.state}.`);
};

export const createEngine = (parts: EngineParts): Engine => {
  const { turns, clock } = parts;
  const all = new Map<string, Execution>();
  const keyOf = (machine: Machine, name: string): string => `${machine} ${name}`;

  const ended = new Set<Execution>();
  const end = (execution: Execution): void => {
    if (ended.has(execution)) return;
    ended.add(execution);
    parts.onEnd(execution);
  };

  const start = (machine: Machine, name: string, input: object): 'started' | 'existed' => {
    if (all.has(keyOf(machine, name))) return 'existed';
    const execution: Execution = {
      machine,
      name,
      input: JSON.parse(JSON.stringify(input)) as object,
      status: { state: 'RUNNING', cause: '' },
      state: DEFINITIONS[machine].StartAt,
      task: undefined,
      thread: turns.newThread(`execution ${name}`, 'engine'),
    };
    all.set(keyOf(machine, name), execution);
    run(parts, execution)
      .then(() => end(execution))
      .catch(parts.onError);
    return 'started';
  };

  const answer = (token: string, outcome: TaskOutcome): 'told' | 'rejected' => {
    const waiting = [...all.values()].find((x) => x.status.state === 'RUNNING' && x.task?.token === token)?.task;
    waiting?.end(outcome);
    return waiting ? 'told' : 'rejected';
  };

  const timeOut = ({ task }: Execution): void => task?.end({ ok: false, Error: 'States.Timeout', Cause: '' });

  return {
    executions: () => [...all.values()],
    executionsOf: (thread) => ({
      start(machine, name, input) {
        const act = (): 'started' | 'existed' => start(machine, name, input);
        return turns.turn(thread, `starts ${name}`, act, { again: act });
      },
      status: (machine, name) => turns.turn(thread, `describes ${name}`, () => all.get(keyOf(machine, name))?.status),
    }),
    tasksOf: (thread) => ({
      succeed(token, output) {
        const act = (): 'told' | 'rejected' => answer(token, { ok: true, result: output });
        return turns.turn(thread, `answers ${token}`, act, { again: act });
      },
      fail(token, failure) {
        const Cause = JSON.stringify({ errorType: failure.code, errorMessage: failure.message });
        const act = (): 'told' | 'rejected' => answer(token, { ok: false, Error: failure.code, Cause });
        return turns.turn(thread, `fails ${token}`, act, { again: act });
      },
    }),
    abort(execution, state) {
      if (execution.status.state !== 'RUNNING') return;
      execution.status = { state, cause: 'stopped in a simulation' };
      turns.kill(execution.thread);
      execution.task?.end({ ok: false, Error: 'States.Runtime', Cause: '' });
      end(execution);
    },
    timeOut,
    timeOutWhatIsDue() {
      for (const execution of all.values()) {
        if (execution.task && execution.task.deadlineMs <= clock.nowMs()) timeOut(execution);
      }
    },
  };
};
