import { compileCidr } from './cidr.ts';
import { asText, InvalidPattern, onlyEntry } from './invalid.ts';
import { compileNumeric } from './numeric.ts';
import { compileWildcard } from './wildcard.ts';

/** One element of a pattern's array as a test of a leaf of the event. */

export type Leaf = string | number | boolean | null;

export type Matcher =
  | { readonly kind: 'leaf'; readonly test: (leaf: Leaf) => boolean }
  | { readonly kind: 'exists'; readonly wanted: boolean };

type TextTest = (text: string) => boolean;

/** Words that are match expressions; inside `$or` they may not be field names, for then the two could not be told apart. */
export const RESERVED: ReadonlySet<string> = new Set([
  'exact',
  'prefix',
  'suffix',
  'equals-ignore-case',
  'wildcard',
  'cidr',
  'numeric',
  'anything-but',
  'exists',
]);

export const compileMatcher = (element: unknown): Matcher => {
  if (typeof element !== 'object' || element === null) return leafMatcher((leaf) => leaf === element);
  if (Array.isArray(element))
    throw new InvalidPattern('Match value must be a string, number, true, false, null or an expression');
  const [kind, operand] = onlyEntry(element, 'Match expression');
  switch (kind) {
    case 'exists':
      if (typeof operand !== 'boolean') throw new InvalidPattern('exists match pattern must be either true or false');
      return { kind: 'exists', wanted: operand };
    case 'numeric': {
      const test = compileNumeric(operand);
      return leafMatcher((leaf) => typeof leaf === 'number' && test(leaf));
    }
    case 'anything-but':
      return leafMatcher(not(compileExcluded(operand)));
    case 'exact':
    case 'cidr':
    case 'equals-ignore-case':
    case 'wildcard':
      return leafMatcher(onText(compileText(kind, operand)));
    case 'prefix':
    case 'suffix':
      return leafMatcher(onText(compileEdge(kind, operand)));
    default:
      throw new InvalidPattern(`Unrecognized match type ${kind}`);
  }
};

const leafMatcher = (test: (leaf: Leaf) => boolean): Matcher => ({ kind: 'leaf', test });

const not =
  (test: (leaf: Leaf) => boolean) =>
  (leaf: Leaf): boolean =>
    !test(leaf);

const onText =
  (test: TextTest) =>
  (leaf: Leaf): boolean =>
    typeof leaf === 'string' && test(leaf);

type TextKind = 'exact' | 'cidr' | 'equals-ignore-case' | 'wildcard' | 'prefix' | 'suffix';

const compileText = (kind: TextKind, operand: unknown): TextTest => {
  const wanted = asText(operand, `${kind} match pattern`);
  switch (kind) {
    case 'exact':
      return (text) => text === wanted;
    case 'cidr':
      return compileCidr(wanted);
    case 'equals-ignore-case':
      return (text) => text.toLowerCase() === wanted.toLowerCase();
    case 'wildcard':
      return compileWildcard(wanted);
    case 'prefix':
      return (text) => text.startsWith(wanted);
    case 'suffix':
      return (text) => text.endsWith(wanted);
  }
};

/** A prefix or suffix is a text, or `{"equals-ignore-case": text}`. */
const compileEdge = (kind: 'prefix' | 'suffix', operand: unknown): TextTest => {
  if (typeof operand !== 'object' || operand === null) return compileText(kind, operand);
  const [option, value] = onlyEntry(operand, kind);
  if (option !== 'equals-ignore-case') throw new InvalidPattern(`Unsupported ${kind} pattern: ${option}`);
  const test = compileText(kind, asText(value, 'equals-ignore-case match pattern').toLowerCase());
  return (text) => test(text.toLowerCase());
};

/** What anything-but excludes: a value, values of one type, or one kind of text pattern with a text or several. */
const compileExcluded = (operand: unknown): ((leaf: Leaf) => boolean) => {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [kind, texts] = onlyEntry(operand, 'anything-but');
    switch (kind) {
      case 'prefix':
      case 'suffix':
      case 'equals-ignore-case':
      case 'wildcard': {
        const tests = nonEmpty(texts, kind).map((text) => excludedText(kind, text));
        return onText((text) => tests.some((test) => test(text)));
      }
      default:
        throw new InvalidPattern(`Unsupported anything-but pattern: ${kind}`);
    }
  }
  const values = nonEmpty(operand, 'anything-but');
  const [type] = values.map((value) => typeof value);
  if ((type !== 'string' && type !== 'number') || values.some((value) => typeof value !== type)) {
    throw new InvalidPattern('Inside anything-but, either all values are strings or all are numbers');
  }
  return (leaf) => values.includes(leaf);
};

const excludedText = (kind: 'prefix' | 'suffix' | 'equals-ignore-case' | 'wildcard', text: unknown): TextTest => {
  if (text === '' && (kind === 'prefix' || kind === 'suffix'))
    throw new InvalidPattern('Empty prefix or suffix is not allowed');
  return compileText(kind, text);
};

const nonEmpty = (operand: unknown, what: string): readonly unknown[] => {
  const values: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  if (values.length === 0) throw new InvalidPattern(`The list of ${what} must not be empty`);
  return values;
};
