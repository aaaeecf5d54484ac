import { AwsError } from '../front/aws-wire.ts';

/** Reads the fields of a request; what does not fit is a ValidationException that names the field. */

export type Fields = Readonly<Record<string, unknown>>;

export const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

export const asFields = (body: unknown, what = 'The request body'): Fields => {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Fields;
  throw invalid(`${what} must be an object.`);
};

export interface TextRule {
  readonly max: number;
  readonly pattern?: RegExp;
}

/** Null is absent, as SDK clients send it. */
export const optionalText = (fields: Fields, name: string, { max, pattern }: TextRule): string | undefined => {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalid(`${name} must be a string.`);
  if (value.length > max) throw invalid(`${name} must have at most ${max} characters.`);
  if (pattern && !pattern.test(value))
    throw invalid(`${name} ${JSON.stringify(value)} does not match ${pattern.source}.`);
  return value;
};

export const requiredText = (fields: Fields, name: string, rule: TextRule): string => {
  const value = optionalText(fields, name, rule);
  if (value === undefined || value === '') throw invalid(`${name} is missing.`);
  return value;
};

export const requiredList = (fields: Fields, name: string, max: number): readonly unknown[] => {
  const value = fields[name];
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${name} must be a list of at least one.`);
  if (value.length > max) throw invalid(`${name} must have at most ${max} elements.`);
  return value;
};

/** Says no to what would otherwise be left out silently. */
export const refuseUnsupported = (fields: Fields, supported: readonly string[], what: string): void => {
  const extra = Object.entries(fields).find(
    ([name, value]) => value !== null && value !== undefined && !supported.includes(name),
  );
  if (extra)
    throw invalid(
      `${what} ${extra[0]} is not supported by the embedded event bus; supported: ${supported.join(', ')}.`,
    );
};

export interface Page<T> {
  readonly items: readonly T[];
  readonly NextToken?: string;
}

/** A page of what is sorted by key. The token is the last key given, so a list that changes meanwhile loses nothing else. */
export const pageOf = <T>(fields: Fields, sorted: readonly T[], keyOf: (item: T) => string): Page<T> => {
  const after = optionalText(fields, 'NextToken', { max: 2048 });
  const limit = fields.Limit ?? 100;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw invalid('Limit must be a whole number from 1 to 100.');
  }
  const rest = after === undefined ? sorted : sorted.filter((item) => keyOf(item) > after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return last === undefined || rest.length <= limit ? { items } : { items, NextToken: keyOf(last) };
};
