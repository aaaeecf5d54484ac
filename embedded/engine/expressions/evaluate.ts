// Evaluates templates in the scope of one state; every way to go wrong becomes an EvaluationFailure with its place.
import { EvaluationFailure } from '../failure.ts';
import { type Json, plainJson, typeName } from '../json.ts';
import { jsonataMessage } from './compile.ts';
import type { Template } from './template.ts';

export interface Scope {
  readonly state: string;
  readonly enteredEventId: number;
  /** The variables, `states` among them, without their `$`. */
  readonly bindings: Record<string, unknown>;
}

export async function evaluate(template: Template, scope: Scope): Promise<Json> {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return evaluateExpression(template, scope);
    case 'array': {
      const items: Json[] = [];
      for (const item of template.items) items.push(await evaluate(item, scope));
      return items;
    }
    case 'object': {
      const members: [string, Json][] = [];
      for (const [key, member] of template.members) members.push([key, await evaluate(member, scope)]);
      return Object.fromEntries(members);
    }
  }
}

/** Evaluates a field that accepts only some values; `accept` returns undefined for the others. */
export async function evaluateAs<T>(
  field: { readonly name: string; readonly template: Template; readonly expected: string },
  scope: Scope,
  accept: (value: Json) => T | undefined,
): Promise<T> {
  const value = await evaluate(field.template, scope);
  const accepted = accept(value);
  if (accepted !== undefined) return accepted;
  throw failure(scope, field.name, `is a ${typeName(value)} where ${field.expected} is needed: ${abridged(value)}`);
}

async function evaluateExpression(template: Template & { kind: 'expression' }, scope: Scope): Promise<Json> {
  const { expression, location } = template;
  const subject = `holds the expression '${expression.source}', which`;
  let result: unknown;
  try {
    result = await expression.evaluate(scope.bindings);
  } catch (error) {
    throw failure(scope, location, `${subject} failed: ${jsonataMessage(error)}`);
  }
  try {
    const value = plainJson(result);
    if (value !== undefined) return value;
  } catch (error) {
    throw failure(scope, location, `${subject} returned something that is not JSON: ${jsonataMessage(error)}`);
  }
  throw failure(scope, location, `${subject} returned nothing (undefined)`);
}

function failure(scope: Scope, location: string, problem: string): EvaluationFailure {
  const place = `In the state '${scope.state}' (entered at the event id #${scope.enteredEventId})`;
  return new EvaluationFailure(location, `${place} the field '${location}' ${problem}`);
}

function abridged(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 200)}...`;
}
