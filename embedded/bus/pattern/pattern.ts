import { InvalidPattern } from './invalid.ts';
import { compileMatcher, type Leaf, type Matcher, RESERVED } from './matchers.ts';

/**
 * Event patterns. Keys of a pattern are joined by "and", the elements of an array by "or"; an event's array matches when any of
 * its elements does, and several fields of objects in one array must be matched by the same object. A field that is absent,
 * or holds only an object or an empty array, has no leaf: only `{"exists": false}` matches it.
 */

export type EventTest = (event: unknown) => boolean;

const OR = '$or';

/** Throws InvalidPattern with the reason. */
export const compilePattern = (json: string): EventTest => {
  let pattern: unknown;
  try {
    pattern = JSON.parse(json);
  } catch (cause) {
    throw new InvalidPattern(`Filter is not valid JSON: ${(cause as Error).message}`);
  }
  if (!isObject(pattern)) throw new InvalidPattern('Filter is not an object');
  return compileObject(pattern, false);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const compileObject = (pattern: Readonly<Record<string, unknown>>, insideOr: boolean): EventTest => {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new InvalidPattern('Empty objects are not allowed');
  const tests = entries.map(([name, value]) => {
    if (name === OR) return compileOr(value);
    if (insideOr && RESERVED.has(name))
      throw new InvalidPattern(`${name} is reserved and cannot be a field name inside ${OR}`);
    return compileField(name, value, insideOr);
  });
  return (event) => tests.every((test) => test(event));
};

const compileOr = (alternatives: unknown): EventTest => {
  if (!Array.isArray(alternatives) || !alternatives.every(isObject)) {
    throw new InvalidPattern(`${OR} must be an array of objects`);
  }
  if (alternatives.length < 2) throw new InvalidPattern(`There must be at least 2 objects in ${OR}`);
  const tests = alternatives.map((alternative) => compileObject(alternative, true));
  return (event) => tests.some((test) => test(event));
};

const compileField = (name: string, value: unknown, insideOr: boolean): EventTest => {
  if (Array.isArray(value)) {
    if (value.length === 0) throw new InvalidPattern(`Empty arrays are not allowed (field ${JSON.stringify(name)})`);
    const matchers = value.map(compileMatcher);
    return (event) => matchesLeaves(matchers, leavesOf(fieldOf(event, name)));
  }
  if (!isObject(value)) throw new InvalidPattern(`${JSON.stringify(name)} must be an object or an array`);
  const test = compileObject(value, insideOr);
  return (event) => objectsOf(fieldOf(event, name)).some(test);
};

const matchesLeaves = (matchers: readonly Matcher[], leaves: readonly Leaf[]): boolean =>
  matchers.some((matcher) =>
    matcher.kind === 'exists' ? leaves.length > 0 === matcher.wanted : leaves.some(matcher.test),
  );

const fieldOf = (event: unknown, name: string): unknown =>
  isObject(event) && Object.hasOwn(event, name) ? event[name] : undefined;

const leavesOf = (value: unknown): readonly Leaf[] => {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  return value === undefined || isObject(value) ? [] : [value as Leaf];
};

/** What the fields below are looked up in; where there is no object, one that has none of them. */
const objectsOf = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) return [value];
  const objects = value.flatMap(objectsOf).filter(isObject);
  return objects.length === 0 ? [undefined] : objects;
};
