// An engine with everything around it that a test needs to see or to steer.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import {
  createEngine,
  type Engine,
  type InvokeLambda,
  type PutEvents,
  type PutEventsEntry,
  type StatusChangeDetail,
} from '../../embedded/engine/engine.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';

export interface Event {
  id: number;
  previousEventId: number;
  timestamp: number;
  type: string;
  [details: string]: unknown;
}

export interface Described {
  executionArn: string;
  name: string;
  status: string;
  startDate: number;
  stopDate?: number;
  input?: string;
  output?: string;
  error?: string;
  cause?: string;
}

export interface Invocation {
  functionName: string;
  payload: unknown;
}

export interface WorldOptions {
  /** Machines by name; the first one is `main` to the helpers. */
  machines: Record<string, object>;
  substitutions?: Record<string, string>;
  lambda?: (functionName: string, payload: never, signal: AbortSignal) => unknown;
  putEvents?: PutEvents;
  directory?: string;
  clock?: FakeClock;
}

export interface World {
  engine: Engine;
  clock: FakeClock;
  directory: string;
  invocations: Invocation[];
  events: PutEventsEntry[];
  statusChanges: StatusChangeDetail[];
  faults: Error[];
  /** The body of a successful call; throws an ApiFailure otherwise. */
  call(operation: string, input: object): Promise<Record<string, unknown>>;
  start(input?: unknown, name?: string): Promise<string>;
  describe(name: string): Promise<Described>;
  history(name: string): Promise<Event[]>;
  /** The token that the n-th call got. */
  token(index?: number): string;
  /** Waits until nothing happens any more without a timer. */
  quiet(): Promise<void>;
  /** Lets time pass, with all that happens in it. */
  pass(milliseconds: number): Promise<void>;
  /** Starts, lets all timers fire in turn, and describes the execution once it has ended. */
  run(input?: unknown, name?: string): Promise<Described>;
  /** A second engine on the same directory; the first one is dropped as kill -9 would. */
  restart(changes?: Partial<WorldOptions>): Promise<World>;
}

export class ApiFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** What a handler throws to be answered as a function error. */
export class FunctionError extends Error {
  constructor(name: string, message = 'it went wrong') {
    super(message);
    this.name = name;
  }
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'engine-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export async function createWorld(options: WorldOptions): Promise<World> {
  const directory = options.directory ?? temporaryDirectory();
  const clock = options.clock ?? createFakeClock();
  const invocations: Invocation[] = [];
  const events: PutEventsEntry[] = [];
  const statusChanges: StatusChangeDetail[] = [];
  const faults: Error[] = [];
  const numbers = numbered();
  const engine = createEngine({
    directory,
    clock,
    random: () => 0.5,
    newId: () => `00000000-0000-4000-8000-${String(numbers()).padStart(12, '0')}`,
    randomToken: () => `token-${clock.nowMs()}-${numbers()}`,
    invokeLambda: invoker(options, invocations),
    putEvents: async (entries) => {
      events.push(...entries);
      if (options.putEvents !== undefined) return options.putEvents(entries);
      return { FailedEntryCount: 0, Entries: entries.map((_, index) => ({ EventId: `event-${index}` })) };
    },
    onStatusChange: (detail) => statusChanges.push(detail),
    onFault: (error) => faults.push(error),
  });
  const [first = ''] = Object.keys(options.machines);
  for (const [name, definition] of Object.entries(options.machines)) {
    engine.loadMachine({ name, definition, substitutions: options.substitutions ?? {} });
  }
  await engine.resume();
  onTestFinished(() => engine.close());

  const machineArn = `arn:aws:states:us-east-1:000000000000:stateMachine:${first}`;
  const executionArn = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:${first}:${name}`;
  const call: World['call'] = async (operation, input) => {
    const { status, body } = await engine.handle(`AWSStepFunctions.${operation}`, input);
    const answer = body as Record<string, unknown>;
    if (status === 200) return answer;
    throw new ApiFailure(String(answer.__type), String(answer.message));
  };
  const describe: World['describe'] = async (name) =>
    (await call('DescribeExecution', { executionArn: executionArn(name) })) as unknown as Described;

  /** Changes whenever anything happens that a test could wait for. */
  const pulse = () => `${journalBytes(directory)} ${invocations.length} ${events.length} ${clock.pending}`;
  const quiet: World['quiet'] = async () => {
    for (let idle = 0, before = pulse(); idle < 20; ) {
      await turn();
      const after = pulse();
      idle = after === before ? idle + 1 : 0;
      before = after;
    }
  };

  const world: World = {
    engine,
    clock,
    directory,
    invocations,
    events,
    statusChanges,
    faults,
    call,
    describe,
    quiet,
    token(index = 0) {
      const payload = invocations[index]?.payload;
      if (typeof payload === 'object' && payload !== null && 'token' in payload) return String(payload.token);
      throw new Error(`There was no call ${index} with a token`);
    },
    async start(input = {}, name = 'run') {
      await call('StartExecution', { stateMachineArn: machineArn, name, input: JSON.stringify(input) });
      await quiet();
      return executionArn(name);
    },
    async history(name) {
      const input = { executionArn: executionArn(name), maxResults: 1000 };
      return (await call('GetExecutionHistory', input)).events as Event[];
    },
    async pass(milliseconds) {
      const untilMs = clock.nowMs() + milliseconds;
      await quiet();
      while (clock.fireNext(untilMs)) await quiet();
      clock.setTime(untilMs);
    },
    async run(input = {}, name = 'run') {
      await world.start(input, name);
      for (;;) {
        const described = await describe(name);
        if (described.status !== 'RUNNING') return described;
        if (!clock.fireNext()) throw new Error(`The execution ${name} waits for something that is no timer`);
        await quiet();
      }
    },
    restart: (changes = {}) =>
      createWorld({ ...options, directory, clock: createFakeClock(clock.nowMs()), ...changes }),
  };
  return world;
}

function numbered(): () => number {
  let count = 0;
  return () => {
    count += 1;
    return count;
  };
}

function invoker(options: WorldOptions, invocations: Invocation[]): InvokeLambda {
  return async (functionName, payload, signal) => {
    invocations.push({ functionName, payload });
    try {
      return { payload: await options.lambda?.(functionName, payload as never, signal) };
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      return { errorType: error.name, errorMessage: error.message, trace: [] };
    }
  };
}

function journalBytes(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
