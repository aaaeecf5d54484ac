// volmove's own Step Functions: a durable interpreter of JSONata state machines behind the API of AWS.
//
// It survives kill -9: executions go on from their last completed transition, with at-least-once calls. What a power
// loss may take with it is said in journal/journal.ts. Differences to AWS: it refuses what it does not support when a
// machine is loaded; time-outs go on while it is down; a state's EnteredTime never repeats within an execution.
import { type ApiAnswer, handleCall } from './api/handle.ts';
import type { Machines } from './api/operation.ts';
import { DefinitionError } from './definition/problems.ts';
import type { EngineDependencies } from './dependencies.ts';
import { machineFolders } from './journal/files.ts';
import type { Json } from './json.ts';
import { Machine } from './machines/machine.ts';
import { resolveSettings } from './machines/settings.ts';

export type { Clock } from './clock.ts';
export { DefinitionError, type Problem } from './definition/problems.ts';
export type { EngineDependencies, StatusChangeDetail } from './dependencies.ts';
export type { PutEvents, PutEventsEntry } from './resources/events.ts';
export type { InvokeLambda } from './resources/lambda.ts';

export interface MachineSource {
  /** 1 to 80 letters, digits, `.`, `-` and `_`. */
  readonly name: string;
  /** The definition as JSON text or as its value. */
  readonly definition: unknown;
  /** Values for placeholders such as `${DispatchFunctionArn}`, by name. */
  readonly substitutions?: Readonly<Record<string, string>>;
}

export interface Engine {
  /**
   * Loads a machine, or its new definition; running executions keep the one they began with.
   * Throws DefinitionError with everything that this engine does not support or that is wrong.
   */
  loadMachine(source: MachineSource): { readonly stateMachineArn: string };
  /** Goes on with what an earlier engine left. Once, after loading and before the first call. */
  resume(): Promise<void>;
  /** Answers a call of the API; `target` is X-Amz-Target, `body` the parsed JSON. Rejects when the engine has a fault. */
  handle(target: string, body: unknown): Promise<ApiAnswer>;
  /** Aborts the signal of the calls under way, stops all timers, and writes nothing more once it has resolved. */
  close(): Promise<void>;
}

const MACHINE_NAME = /^[A-Za-z0-9._-]{1,80}$/;

export function createEngine(dependencies: EngineDependencies): Engine {
  const closing = new AbortController();
  const settings = resolveSettings(dependencies, closing.signal);
  const byName = new Map<string, Machine>();
  let resumed = false;

  const machineOf = (name: string): Machine => {
    const known = byName.get(name);
    if (known !== undefined) return known;
    const machine = new Machine(name, settings);
    byName.set(name, machine);
    return machine;
  };
  const machines: Machines = {
    all: () => [...byName.values()],
    byName: (name) => byName.get(name),
    newId: () => dependencies.newId(),
  };

  return {
    loadMachine({ name, definition, substitutions = {} }) {
      if (!MACHINE_NAME.test(name) || name === '.' || name === '..') {
        const problem = 'must be 1 to 80 letters, digits, ".", "-" and "_"; correct it';
        throw new DefinitionError(name, [{ state: null, field: 'name', problem }]);
      }
      const raw = parseDefinition(name, definition);
      const machine = machineOf(name);
      machine.definitions.load(raw, substitutions);
      return { stateMachineArn: machine.arn };
    },
    async resume() {
      if (resumed) throw new Error('The engine has been resumed already; call resume once');
      for (const name of machineFolders(dependencies.directory)) machineOf(name);
      for (const machine of byName.values()) machine.recover();
      resumed = true;
      for (const machine of byName.values()) machine.activate();
    },
    async handle(target, body) {
      if (!resumed || closing.signal.aborted) throw new Error('The engine answers calls between resume and close only');
      return handleCall(machines, target, body);
    },
    async close() {
      closing.abort();
      await Promise.all([...byName.values()].map((machine) => machine.close()));
    },
  };
}

function parseDefinition(machine: string, definition: unknown): Json {
  // A value goes through JSON as well, so that what is stored is what was read.
  const text = typeof definition === 'string' ? definition : JSON.stringify(definition);
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const problem = `is not JSON (${error.message}); correct it`;
    throw new DefinitionError(machine, [{ state: null, field: 'definition', problem }]);
  }
}
