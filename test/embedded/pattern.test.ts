import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidPattern } from '../../embedded/bus/pattern/invalid.ts';
import { compilePattern } from '../../embedded/bus/pattern/pattern.ts';

const event = {
  source: 'volmove',
  'detail-type': 'Volume Migration Progress',
  resources: ['arn:a', 'arn:b'],
  detail: {
    percent: 42,
    locked: false,
    reason: null,
    empty: '',
    none: [],
    host: 'Node-A@fast#pool',
    address: '10.1.2.3',
    address6: '2001:db8::7',
    left: [
      { host: 'a', object: 'x' },
      { host: 'b', object: 'y' },
    ],
    nested: [[1, 2], [3]],
  },
};

const field = (matchers: unknown[], name = 'host') => ({ detail: { [name]: matchers } });

const CASES: readonly [what: string, pattern: object, matches: boolean][] = [
  ['an exact text', { source: ['volmove'] }, true],
  ['another text', { source: ['cinder'] }, false],
  ['one of several texts', { source: ['cinder', 'volmove'] }, true],
  ['all fields together', { source: ['volmove'], 'detail-type': ['Volume Migration Ended'] }, false],
  ['any element of an array', { resources: ['arn:b'] }, true],
  ['an element of nested arrays', field([3], 'nested'), true],
  ['a number', field([42], 'percent'), true],
  ['a number is not its text', field(['42'], 'percent'), false],
  ['false', field([false], 'locked'), true],
  ['null', field([null], 'reason'), true],
  ['null is not absence', field([null], 'missing'), false],
  ['an empty text', field([''], 'empty'), true],
  ['exact', field([{ exact: 'Node-A@fast#pool' }]), true],
  ['prefix', field([{ prefix: 'Node-' }]), true],
  ['prefix of another', field([{ prefix: 'node-' }]), false],
  ['prefix, ignoring case', field([{ prefix: { 'equals-ignore-case': 'NODE-' } }]), true],
  ['suffix', field([{ suffix: '#pool' }]), true],
  ['suffix, ignoring case', field([{ suffix: { 'equals-ignore-case': '#POOL' } }]), true],
  ['equals-ignore-case', field([{ 'equals-ignore-case': 'node-a@FAST#pool' }]), true],
  ['anything-but a text', field([{ 'anything-but': 'x' }]), true],
  ['anything-but the text', field([{ 'anything-but': 'Node-A@fast#pool' }]), false],
  ['anything-but a list', field([{ 'anything-but': ['x', 'Node-A@fast#pool'] }]), false],
  ['anything-but a number', field([{ 'anything-but': 42 }], 'percent'), false],
  ['anything-but another number', field([{ 'anything-but': [41, 43] }], 'percent'), true],
  ['anything-but needs a value', field([{ 'anything-but': 'x' }], 'missing'), false],
  ['anything-but a prefix', field([{ 'anything-but': { prefix: 'Node' } }]), false],
  ['anything-but some prefixes', field([{ 'anything-but': { prefix: ['x', 'Node'] } }]), false],
  ['anything-but a suffix', field([{ 'anything-but': { suffix: '#other' } }]), true],
  ['anything-but a wildcard', field([{ 'anything-but': { wildcard: '*@fast*' } }]), false],
  ['anything-but ignoring case', field([{ 'anything-but': { 'equals-ignore-case': ['NODE-A@FAST#POOL'] } }]), false],
  ['numeric =', field([{ numeric: ['=', 42.0] }], 'percent'), true],
  ['numeric <', field([{ numeric: ['<', 42] }], 'percent'), false],
  ['numeric <=', field([{ numeric: ['<=', 42] }], 'percent'), true],
  ['numeric >', field([{ numeric: ['>', 41.5] }], 'percent'), true],
  ['numeric >=', field([{ numeric: ['>=', 43] }], 'percent'), false],
  ['a numeric range', field([{ numeric: ['>', 0, '<=', 42] }], 'percent'), true],
  ['a numeric range that ends before', field([{ numeric: ['>', 0, '<', 42] }], 'percent'), false],
  ['numeric of a text', field([{ numeric: ['>', 0] }]), false],
  ['exists', field([{ exists: true }], 'percent'), true],
  ['exists of what is absent', field([{ exists: true }], 'missing'), false],
  ['exists false of what is absent', field([{ exists: false }], 'missing'), true],
  ['exists false below what is absent', { gone: { deep: [{ exists: false }] } }, true],
  ['exists false of what is there', field([{ exists: false }], 'percent'), false],
  ['exists of an empty array', field([{ exists: true }], 'none'), false],
  ['exists or a value', field([{ exists: false }, 42], 'percent'), true],
  ['wildcard', field([{ wildcard: 'Node-*@*#pool' }]), true],
  ['wildcard with an escaped star', field([{ wildcard: 'Node-\\*' }]), false],
  ['cidr', field([{ cidr: '10.1.0.0/16' }], 'address'), true],
  ['cidr of another net', field([{ cidr: '10.2.0.0/16' }], 'address'), false],
  ['cidr of IPv6', field([{ cidr: '2001:db8::/32' }], 'address6'), true],
  ['cidr of no address', field([{ cidr: '10.1.0.0/16' }]), false],
  ['objects in an array', { detail: { left: { host: ['b'], object: ['y'] } } }, true],
  ['fields of different objects in an array', { detail: { left: { host: ['a'], object: ['y'] } } }, false],
  ['$or', { detail: { $or: [{ percent: [1] }, { locked: [false] }] } }, true],
  ['$or without a match', { detail: { $or: [{ percent: [1] }, { locked: [true] }] } }, false],
  ['$or and another field', { source: ['cinder'], $or: [{ source: ['volmove'] }, { resources: ['arn:a'] }] }, false],
  ['a name that objects inherit', { detail: { toString: [{ exists: true }] } }, false],
];

const INVALID: readonly [what: string, pattern: string, reason: string][] = [
  ['no JSON', '{', 'not valid JSON'],
  ['no object', '[]', 'not an object'],
  ['an empty object', '{"detail":{}}', 'Empty objects'],
  ['an empty array', '{"source":[]}', 'Empty arrays'],
  ['a bare value', '{"source":"volmove"}', 'must be an object or an array'],
  ['an unknown match type', '{"source":[{"contains":"x"}]}', 'Unrecognized match type contains'],
  ['two keys in one expression', '{"source":[{"prefix":"a","suffix":"b"}]}', 'only one key'],
  ['a prefix that is a number', '{"source":[{"prefix":1}]}', 'must be a string'],
  ['an unknown prefix option', '{"source":[{"prefix":{"wildcard":"x"}}]}', 'Unsupported prefix pattern'],
  ['a mixed anything-but', '{"source":[{"anything-but":["a",1]}]}', 'all values are strings or all are numbers'],
  ['anything-but of null', '{"source":[{"anything-but":null}]}', 'all values are strings or all are numbers'],
  ['anything-but of an empty prefix', '{"source":[{"anything-but":{"prefix":""}}]}', 'not allowed'],
  ['anything-but of numeric', '{"source":[{"anything-but":{"numeric":["=",1]}}]}', 'Unsupported anything-but'],
  ['exists of a text', '{"source":[{"exists":"yes"}]}', 'either true or false'],
  ['an unknown operator', '{"n":[{"numeric":["!=",1]}]}', 'Unrecognized numeric range operator'],
  ['an inherited operator', '{"n":[{"numeric":["constructor",1]}]}', 'Unrecognized numeric range operator'],
  ['a bound that is a text', '{"n":[{"numeric":["<","1"]}]}', 'must be numeric'],
  ['a range upside down', '{"n":[{"numeric":[">",5,"<",1]}]}', 'Bottom must be less than top'],
  ['a range of two lower bounds', '{"n":[{"numeric":[">",1,">",5]}]}', 'lower bound'],
  ['two stars', '{"source":[{"wildcard":"a**"}]}', 'Consecutive wildcard'],
  ['an unknown escape', '{"source":[{"wildcard":"a\\\\x"}]}', 'Invalid escape'],
  ['a cidr without bits', '{"a":[{"cidr":"10.0.0.0"}]}', 'Malformed CIDR'],
  ['a cidr with too many bits', '{"a":[{"cidr":"10.0.0.0/32"}]}', 'mask bits'],
  ['$or of one', '{"$or":[{"a":[1]}]}', 'at least 2'],
  ['$or of values', '{"$or":["a","b"]}', 'array of objects'],
  ['a reserved name in $or', '{"$or":[{"prefix":["a"]},{"b":["c"]}]}', 'reserved'],
];

describe('an event pattern', () => {
  it.each(CASES)('%s', (_what, pattern, matches) => {
    const test = compilePattern(JSON.stringify(pattern));

    expect(test(event)).toBe(matches);
  });

  it.each(INVALID)('is refused with the reason: %s', (_what, pattern, reason) => {
    const compile = () => compilePattern(pattern);

    expect(compile).toThrow(InvalidPattern);
    expect(compile).toThrow(reason);
  });

  it('matches a wildcard exactly where a regular expression of the same meaning does', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.'), maxLength: 8 });
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 });

    fc.assert(
      fc.property(letters, texts, (raw, text) => {
        const wildcard = raw.replaceAll(/\*+/g, '*');
        const expression = new RegExp(`^${wildcard.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
        const test = compilePattern(JSON.stringify({ name: [{ wildcard }] }));

        expect(test({ name: text })).toBe(expression.test(text));
      }),
    );
  });
});
