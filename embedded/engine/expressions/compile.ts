// JSONata expressions, compiled once when a machine is loaded, and checked as far as the syntax tree tells.
import jsonata from 'jsonata';
import { isObject } from '../json.ts';
import { type ExpressionEnvironment, registerFunctions } from './functions.ts';

/** A guard against endless expressions; real ones take well below a millisecond. */
const EVALUATION_LIMITS = { timeout: 1000, stack: 500 };

export interface Expression {
  readonly source: string;
  /** Evaluates with variables bound by name, without their `$`. Rejects with JSONata's own error. */
  evaluate(bindings: Record<string, unknown>): Promise<unknown>;
}

/** The members of `$states` that a field may use; `input` and `context` are always there. */
export type StatesMember = 'result' | 'errorOutput';

/** Compiles the text between `{%` and `%}`; what is wrong with it goes to `report`. */
export function compileExpression(
  source: string,
  members: readonly StatesMember[],
  environment: ExpressionEnvironment,
  report: (problem: string) => void,
): Expression | undefined {
  let compiled: jsonata.Expression;
  try {
    compiled = jsonata(source, EVALUATION_LIMITS);
  } catch (error) {
    report(`is not valid JSONata: ${jsonataMessage(error)}`);
    return undefined;
  }
  for (const problem of lint(compiled.ast(), members)) report(problem);
  registerFunctions(compiled, environment);
  return { source, evaluate: (bindings) => inTime(() => compiled.evaluate(undefined, bindings)) };
}

const TOOK_TOO_LONG = 'D1012';
const TRIES = 3;

/** Time is measured by the clock on the wall: a process that was frozen, or has much to do, has not been endless. */
async function inTime(evaluate: () => Promise<unknown>): Promise<unknown> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await evaluate();
    } catch (error) {
      if (tries === TRIES || !isObject(error) || error.code !== TOOK_TOO_LONG) throw error;
    }
  }
}

/** JSONata throws plain objects as well as errors; both carry a message and mostly a code. */
export function jsonataMessage(error: unknown): string {
  if (!isObject(error)) return String(error);
  const message = typeof error.message === 'string' ? error.message : 'unknown error';
  return typeof error.code === 'string' ? `${error.code}: ${message}` : message;
}

function lint(root: unknown, members: readonly StatesMember[]): Set<string> {
  const problems = new Set<string>();
  const rootName = inputDocumentReference(root);
  if (rootName !== undefined) {
    problems.add(
      `refers to the input document by '${rootName}', which does not exist; start from $states or a variable`,
    );
  }
  walk(root, (node) => {
    if (node.type === 'variable' && node.value === 'eval') {
      problems.add('uses $eval, which is not supported; use $parse for JSON text');
    }
    if (node.type === 'variable' && node.value === '$') {
      problems.add("refers to the input document by '$$', which does not exist; start from $states or a variable");
    }
    const member = statesMember(node);
    const known: readonly string[] = ['input', 'context', ...members];
    if (member !== undefined && !known.includes(member)) {
      problems.add(`uses $states.${member}, which does not exist here; there is $states.${known.join(', $states.')}`);
    }
  });
  return problems;
}

function inputDocumentReference(root: unknown): string | undefined {
  if (!isObject(root)) return undefined;
  const first = root.type === 'path' && Array.isArray(root.steps) ? root.steps[0] : root;
  if (!isObject(first)) return undefined;
  if (first.type === 'name') return String(first.value);
  return first.type === 'variable' && first.value === '' ? '$' : undefined;
}

function statesMember(node: Record<string, unknown>): string | undefined {
  const [first, second] = node.type === 'path' && Array.isArray(node.steps) ? node.steps : [];
  const startsAtStates = isObject(first) && first.type === 'variable' && first.value === 'states';
  return startsAtStates && isObject(second) && second.type === 'name' ? String(second.value) : undefined;
}

function walk(node: unknown, visit: (node: Record<string, unknown>) => void, seen = new Set<unknown>()): void {
  if (typeof node !== 'object' || node === null || seen.has(node)) return;
  seen.add(node);
  if (isObject(node)) visit(node);
  for (const child of Object.values(node)) walk(child, visit, seen);
}
