import type * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';

/** Schemas' verdicts in the words of the Block Storage API: "Invalid input for field/attribute F. Value: V. <why>". */

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const MAX_SHOWN = 255;

/** A value as the API's users know it from Python; what nests is not followed, however deep a request may be. */
const bare = (value: unknown): string => {
  if (typeof value === 'string') return value.slice(0, MAX_SHOWN);
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return '[...]';
  return value ? '{...}' : 'None';
};
const quoted = (value: unknown): string => (typeof value === 'string' ? `'${bare(value)}'` : bare(value));

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );

const TYPES: Readonly<Record<string, string>> = { int: 'integer', record: 'object' };

const tooBig = (issue: Extract<Issue, { code: 'too_big' }>, value: unknown): string =>
  issue.origin === 'string' || issue.origin === 'array'
    ? `${quoted(value)} is too long`
    : `${quoted(value)} is greater than the maximum of ${issue.maximum}`;

const tooSmall = (issue: Extract<Issue, { code: 'too_small' }>, value: unknown): string =>
  issue.origin === 'string' || issue.origin === 'array'
    ? `${quoted(value)} is too short`
    : `${quoted(value)} is less than the minimum of ${issue.minimum}`;

const unexpected = (keys: readonly string[]): string =>
  `Additional properties are not allowed (${keys.map(quoted).join(', ')} ${keys.length === 1 ? 'was' : 'were'} unexpected)`;

const why = (issue: Issue, value: unknown): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `${quoted(value)} is not of type '${TYPES[issue.expected] ?? issue.expected}'`;
    case 'too_big':
      return tooBig(issue, value);
    case 'too_small':
      return tooSmall(issue, value);
    case 'unrecognized_keys':
      return unexpected(issue.keys);
    case 'invalid_value':
      return `${quoted(value)} is not one of [${issue.values.map(quoted).join(', ')}]`;
    default:
      return `${quoted(value)} ${issue.message}`;
  }
};

/** A property that is not there is the fault of the object that should have it. */
const explain = (issue: Issue, path: Path, body: unknown): string => {
  const value = at(body, path);
  const missing = value === undefined && issue.code !== 'unrecognized_keys' ? path.at(-1) : undefined;
  const blamed = missing === undefined ? path : path.slice(0, -1);
  const text = missing === undefined ? why(issue, value) : `'${String(missing)}' is a required property`;
  const field = blamed.at(-1);
  return field === undefined
    ? text
    : `Invalid input for field/attribute ${String(field)}. Value: ${bare(at(body, blamed))}. ${text}`;
};

/** Throws InvalidRequest for the first thing that is wrong. `field`: what the input is called in the body it came from. */
export const parseInput = <S extends z.ZodType>(schema: S, input: unknown, field?: string): z.output<S> => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (!issue) throw volmoveError('InvalidRequest', { reason: 'The request is not valid.' });
  const reason =
    field === undefined
      ? explain(issue, issue.path, input)
      : explain(issue, [field, ...issue.path], { [field]: input });
  throw volmoveError('InvalidRequest', { reason });
};
