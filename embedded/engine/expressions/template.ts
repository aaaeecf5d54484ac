// Templates: JSON values in which every string `{% ... %}` is an expression (Arguments, Output, Assign and the like).
import type { Json } from '../json.ts';
import type { Expression } from './compile.ts';

export type Template =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'expression'; readonly location: string; readonly expression: Expression }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Template])[] };

export type CompileAt = (source: string, location: string) => Expression | undefined;

/** The text between `{%` and `%}` when the whole string is an expression; anything else is a literal. */
export function expressionSource(text: string): string | undefined {
  return text.length >= 4 && text.startsWith('{%') && text.endsWith('%}') ? text.slice(2, -2).trim() : undefined;
}

/** Whether a value is an expression or tries to be one. */
export function isExpressionText(value: unknown): value is string {
  return typeof value === 'string' && (value.startsWith('{%') || value.endsWith('%}'));
}

/** Half an expression: almost surely a slip, so the loader refuses it instead of passing it on as text. */
export function isBrokenExpression(text: string): boolean {
  return isExpressionText(text) && expressionSource(text) === undefined;
}

/** `location` is the path inside the state, such as `Output/error`. Invalid expressions become null literals. */
export function compileTemplate(value: Json, location: string, compile: CompileAt): Template {
  if (typeof value === 'string') {
    const source = expressionSource(value);
    if (source === undefined && !isBrokenExpression(value)) return { kind: 'literal', value };
    const expression = compile(source ?? value, location);
    return expression === undefined ? { kind: 'literal', value: null } : { kind: 'expression', location, expression };
  }
  if (Array.isArray(value)) {
    const items = value.map((item, index) => compileTemplate(item, `${location}[${index}]`, compile));
    return items.every((item) => item.kind === 'literal') ? { kind: 'literal', value } : { kind: 'array', items };
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => [key, compileTemplate(member, `${location}/${key}`, compile)] as const,
    );
    const constant = members.every(([, member]) => member.kind === 'literal');
    return constant ? { kind: 'literal', value } : { kind: 'object', members };
  }
  return { kind: 'literal', value };
}
