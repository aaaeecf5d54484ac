import { InvalidPattern } from './invalid.ts';

/** `["=", x]`, `["<", x]` and its kin, or a range with the lower bound first: `[">=", 0, "<", 5]`. Numbers are doubles. */

type Test = (value: number) => boolean;

const COMPARE: Readonly<Record<string, (bound: number) => Test>> = {
  '=': (bound) => (value) => value === bound,
  '<': (bound) => (value) => value < bound,
  '<=': (bound) => (value) => value <= bound,
  '>': (bound) => (value) => value > bound,
  '>=': (bound) => (value) => value >= bound,
};

export const compileNumeric = (terms: unknown): Test => {
  if (!Array.isArray(terms)) throw new InvalidPattern('Value of numeric must be an array');
  const [operator, bound, upperOperator, upperBound, ...more] = terms as unknown[];
  const test = comparison(operator, bound);
  if (upperOperator === undefined) return test;
  const isLower = operator === '>' || operator === '>=';
  const isUpper = upperOperator === '<' || upperOperator === '<=';
  if (!isLower || !isUpper || more.length > 0) {
    throw new InvalidPattern('Bad numeric range: it must be a lower bound (>, >=) followed by an upper bound (<, <=)');
  }
  const upperTest = comparison(upperOperator, upperBound);
  if (Number(bound) >= Number(upperBound)) throw new InvalidPattern('Bottom must be less than top');
  return (value) => test(value) && upperTest(value);
};

const comparison = (operator: unknown, bound: unknown): Test => {
  const compare = typeof operator === 'string' && Object.hasOwn(COMPARE, operator) ? COMPARE[operator] : undefined;
  if (!compare) throw new InvalidPattern(`Unrecognized numeric range operator: ${JSON.stringify(operator)}`);
  if (typeof bound !== 'number') throw new InvalidPattern(`Value of ${String(operator)} must be numeric`);
  return compare(bound);
};
