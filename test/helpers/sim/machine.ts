import jsonata from 'jsonata';
import type { Machine } from '../../../domain/ports.ts';
import migrateVolume from '../../../statemachines/migrate-volume.asl.json' with { type: 'json' };
import volumeJob from '../../../statemachines/volume-job.asl.json' with { type: 'json' };

/** The real state machine files, and their JSONata expressions: as much as a simulated execution needs of them. */

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly MaxAttempts?: number;
}
export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: Template;
}
export interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Arguments?: { readonly FunctionName: string; readonly Payload: Template };
  readonly TimeoutSeconds?: number | string;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
  readonly Assign?: Template;
  readonly Output?: Template;
  readonly Choices?: readonly { readonly Condition: string; readonly Next: string }[];
  readonly Default?: string;
  readonly Next?: string;
  readonly Error?: string;
  readonly Cause?: string;
}
export type Template = unknown;

export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export const DEFINITIONS: Readonly<Record<Machine, Definition>> = {
  'migrate-volume': migrateVolume as unknown as Definition,
  'volume-job': volumeJob as unknown as Definition,
};

export interface Scope {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly states: Readonly<Record<string, unknown>>;
}

const compiled = new Map<string, jsonata.Expression>();
const expression = (source: string): jsonata.Expression => {
  const known = compiled.get(source) ?? jsonata(source);
  compiled.set(source, known);
  return known;
};

const EXPRESSION = /^\{%(.*)%\}$/s;

/** Every `{% ... %}` in its place; a value that is not there is the file's mistake and fails the test. */
export const evaluate = async (template: Template, scope: Scope): Promise<unknown> => {
  if (typeof template === 'string') {
    const source = EXPRESSION.exec(template)?.[1];
    if (source === undefined) return template;
    const value: unknown = await expression(source).evaluate(undefined, { ...scope.variables, states: scope.states });
    if (value === undefined) throw new Error(`The expression ${template} has no value.`);
    return JSON.parse(JSON.stringify(value));
  }
  if (Array.isArray(template)) return Promise.all(template.map((item) => evaluate(item, scope)));
  if (typeof template !== 'object' || template === null) return template;
  const entries = Object.entries(template);
  const values = await Promise.all(entries.map(([, value]) => evaluate(value, scope)));
  return Object.fromEntries(entries.map(([name], i) => [name, values[i]]));
};

/** States.ALL catches everything but what Step Functions itself gives up on. */
export const matches = (errorEquals: readonly string[], error: string): boolean =>
  errorEquals.includes(error) ||
  (errorEquals.includes('States.ALL') && error !== 'States.Runtime' && error !== 'States.DataLimitExceeded');

/** `${FinalizeFunctionArn}` names the function `Finalize`. */
export const functionOf = (state: State): string => {
  const name = /^\$\{(\w+)FunctionArn\}$/.exec(state.Arguments?.FunctionName ?? '')?.[1];
  if (name === undefined) throw new Error(`${state.Arguments?.FunctionName} names no function.`);
  return name;
};
