// Reads the fields of one object of a definition; what is wrong is noted, and reading goes on with a harmless value.
import { compileExpression, type StatesMember } from '../expressions/compile.ts';
import type { ExpressionEnvironment } from '../expressions/functions.ts';
import { compileTemplate, isBrokenExpression, type Template } from '../expressions/template.ts';
import { isObject, type Json, plainJson, typeName } from '../json.ts';
import { whyRefused } from './fields.ts';
import type { Problem } from './problems.ts';

/** What reading a whole machine shares. */
export interface Reading {
  readonly problems: Problem[];
  readonly environment: ExpressionEnvironment;
}

export interface Range {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

/** 99,999,999 seconds is the longest wait and time-out that Step Functions takes. */
export const SECONDS: Range = { least: 1, most: 99_999_999, whole: true };

export interface Reader {
  readonly state: string | null;
  /** Notes a problem of a field of this object. */
  readonly report: (field: string, problem: string) => void;
  has(field: string): boolean;
  raw(field: string): unknown;
  /** Notes every field that is not allowed. */
  onlyFields(allowed: readonly string[]): void;
  text(field: string): string | undefined;
  requiredText(field: string): string;
  number(field: string, range: Range): number | undefined;
  template(field: string, members?: readonly StatesMember[]): Template | undefined;
  objects(field: string): readonly Reader[];
  object(field: string): Reader | undefined;
}

/** `path` leads to the object inside its state: empty, or such as `Retry[0]/`. */
export function createReader(
  reading: Reading,
  state: string | null,
  object: Readonly<Record<string, unknown>>,
  path = '',
): Reader {
  const report = (field: string, problem: string): void => {
    reading.problems.push({ state, field: path + field, problem });
  };
  const has = (field: string) => object[field] !== undefined;
  const text = (field: string): string | undefined => {
    const value = object[field];
    if (value === undefined || typeof value === 'string') return value;
    report(field, `is a ${typeName(value)}; make it a string`);
    return undefined;
  };
  return {
    state,
    report,
    has,
    raw: (field) => object[field],
    text,
    requiredText(field) {
      if (!has(field)) report(field, 'is missing; add it');
      return text(field) ?? '';
    },
    onlyFields(allowed) {
      for (const field of Object.keys(object)) {
        if (!allowed.includes(field)) report(field, whyRefused(field, allowed));
      }
    },
    number: (field, range) => readNumber(object[field], range, (problem) => report(field, problem)),
    template(field, members = []) {
      const value = plainJson(object[field]);
      return value === undefined ? undefined : readTemplate(reading, state, path + field, value, members);
    },
    object(field) {
      const value = object[field];
      if (value === undefined) return undefined;
      if (isObject(value)) return createReader(reading, state, value, `${path}${field}/`);
      report(field, `is a ${typeName(value)}; make it an object`);
      return undefined;
    },
    objects(field) {
      const value = object[field];
      if (value === undefined) return [];
      if (Array.isArray(value) && value.every(isObject)) {
        return value.map((item, index) => createReader(reading, state, item, `${path}${field}[${index}]/`));
      }
      report(field, 'must be an array of objects; correct it');
      return [];
    },
  };
}

function readNumber(value: unknown, range: Range, report: (problem: string) => void): number | undefined {
  if (value === undefined) return undefined;
  const fits =
    typeof value === 'number' &&
    value >= range.least &&
    value <= range.most &&
    (!range.whole || Number.isInteger(value));
  if (fits) return value;
  const kind = range.whole ? 'a whole number' : 'a number';
  report(`is ${JSON.stringify(value)}; make it ${kind} from ${range.least} to ${range.most}`);
  return undefined;
}

function readTemplate(
  reading: Reading,
  state: string | null,
  field: string,
  value: Json,
  members: readonly StatesMember[],
): Template {
  return compileTemplate(value, field, (source, location) => {
    const report = (problem: string) => reading.problems.push({ state, field: location, problem });
    if (!isBrokenExpression(source)) return compileExpression(source, members, reading.environment, report);
    report('is half an expression; write {% and %} around the whole string, or neither');
    return undefined;
  });
}
