// The functions that Step Functions adds to JSONata, and the built-in ones that would escape the injected clock
// and randomness. Source: Step Functions guide, "Transforming data with JSONata", list of JSONata functions.
import { createHash } from 'node:crypto';
import jsonata from 'jsonata';

export interface ExpressionEnvironment {
  nowMs(): number;
  /** A number in [0, 1). */
  random(): number;
  /** A fresh UUID, for `$uuid()`. */
  newId(): string;
}

const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

const NOW = jsonata('$fromMillis($ms, $picture, $timezone)');

const LONGEST_RANGE = 1000;

export function registerFunctions(expression: jsonata.Expression, environment: ExpressionEnvironment): void {
  expression.registerFunction('partition', partition, '<an:a>');
  expression.registerFunction('range', range, '<nnn:a>');
  expression.registerFunction('hash', hash, '<ss:s>');
  expression.registerFunction('parse', parse, '<s:x>');
  expression.registerFunction('uuid', () => environment.newId(), '<:s>');
  expression.registerFunction(
    'random',
    (seed?: number) => (seed === undefined ? environment.random() : seededRandom(seed)),
    '<n?:n>',
  );
  expression.registerFunction('millis', () => environment.nowMs(), '<:n>');
  expression.registerFunction(
    'now',
    (picture?: string, timezone?: string) => NOW.evaluate(null, { ms: environment.nowMs(), picture, timezone }),
    '<s?s?:s>',
  );
}

function partition(items: unknown[], size: number): unknown[][] {
  if (!Number.isInteger(size) || size < 1) throw new RangeError('$partition needs a size that is a positive integer');
  const parts: unknown[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}

function range(first: number, last: number, step: number): number[] {
  if (![first, last, step].every(Number.isInteger) || step === 0) {
    throw new RangeError('$range needs whole numbers and a step other than 0');
  }
  const count = Math.max(Math.floor((last - first) / step) + 1, 0);
  if (count > LONGEST_RANGE) throw new RangeError(`$range gives ${count} items; the most is ${LONGEST_RANGE}`);
  return Array.from({ length: count }, (_, index) => first + index * step);
}

function hash(data: string, algorithm: string): string {
  const name = HASHES[algorithm];
  if (name === undefined) throw new RangeError(`$hash knows ${Object.keys(HASHES).join(', ')}, not '${algorithm}'`);
  return createHash(name).update(data, 'utf8').digest('hex');
}

function parse(text: string): unknown {
  return JSON.parse(text);
}

/** One round of the splitmix32 generator: the same seed gives the same number in [0, 1). */
function seededRandom(seed: number): number {
  let state = (Math.trunc(seed) + 0x9e3779b9) | 0;
  state = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  state = Math.imul(state ^ (state >>> 15), 0x735a2d97);
  return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
}
