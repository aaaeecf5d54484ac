// Random small machines, their handlers and inputs, for property tests. They always come to an end.
import fc from 'fast-check';
import { machine, WORK } from './definitions.ts';

/** What the n-th call of the function does; after the last it succeeds. */
export type Script = readonly ('succeed' | 'A' | 'B' | 'slow')[];

export interface RandomMachine {
  readonly definition: object;
  readonly script: Script;
}

/** `variable`: inner scopes may not assign those of outer ones. */
const output = (variable: string) =>
  fc.constantFrom<object>(
    {},
    { Output: '{% $states.input %}' },
    { Output: { fixed: [1, null] } },
    { Output: '{% $missing %}' },
    { Assign: { [variable]: '{% $states.context.State.Name %}' } },
  );

const retry = fc.constantFrom<object>(
  {},
  { Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1 }] },
  { Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 2, JitterStrategy: 'FULL' }] },
);

const task = (variable: string) =>
  fc
    .record({ effects: output(variable), handler: retry, timeout: fc.boolean() })
    .map(({ effects, handler, timeout }) => ({
      ...WORK,
      ...(timeout ? { TimeoutSeconds: 5 } : {}),
      ...effects,
      ...handler,
    }));

const pass = (variable: string) => output(variable).map((effects) => ({ Type: 'Pass', ...effects }));
const wait = fc.integer({ min: 0, max: 3 }).map((Seconds) => ({ Type: 'Wait', Seconds }));
const simple = (variable: string) => fc.oneof(task(variable), pass(variable), wait);

/** Chains states by Next; each may be left forward by Catch, too, so that no machine loops. */
function chain(
  prefix: string,
  states: readonly object[],
  catches: readonly boolean[],
  last: object,
): Record<string, object> {
  const name = (index: number) => `${prefix}${index}`;
  const entries = states.map((state, index) => {
    const next = { Next: name(index + 1) };
    const canCatch = 'Resource' in state || 'ItemProcessor' in state;
    const handler = canCatch && catches[index] ? { Catch: [{ ErrorEquals: ['States.ALL'], ...next }] } : {};
    return [name(index), { ...state, ...handler, ...next }] as const;
  });
  return Object.fromEntries([...entries, [name(states.length), last] as const]);
}

const last = fc.constantFrom<object>({ Type: 'Succeed' }, { Type: 'Fail', Error: 'A' }, { Type: 'Pass', End: true });
const catches = fc.array(fc.boolean(), { minLength: 4, maxLength: 4 });

const map = (prefix: string) =>
  fc
    .record({
      states: fc.array(simple('inner'), { maxLength: 2 }),
      catches,
      last,
      retry,
      items: fc.integer({ min: 0, max: 3 }),
      most: fc.integer({ min: 0, max: 2 }),
    })
    .map(({ states, catches: caught, last: end, retry: handler, items, most }) => ({
      Type: 'Map',
      Items: Array.from({ length: items }, (_, index) => index),
      MaxConcurrency: most,
      ItemProcessor: { StartAt: `${prefix}0`, States: chain(prefix, states, caught, end) },
      ...handler,
    }));

const choice = fc.boolean().map((Condition) => ({ Condition }));

/** Replaces the first state by a Choice now and then, which skips to the end or goes on. */
function withChoice(states: Record<string, object>, length: number, rule: object | null): Record<string, object> {
  if (rule === null || length < 1) return states;
  const which = { Type: 'Choice', Choices: [{ ...rule, Next: `S${length}` }], Default: 'S0' };
  return { Which: which, ...states };
}

export const randomMachine: fc.Arbitrary<RandomMachine> = fc
  .record({
    states: fc.array(fc.oneof({ weight: 3, arbitrary: simple('outer') }, { weight: 1, arbitrary: map('In') }), {
      maxLength: 4,
    }),
    catches,
    last,
    rule: fc.option(choice),
    script: fc.array(fc.constantFrom('succeed', 'A', 'B', 'slow' as const), { maxLength: 8 }),
    timeout: fc.option(fc.integer({ min: 1, max: 8 }), { freq: 5 }),
  })
  .map(({ states, catches: caught, last: end, rule, script, timeout }) => ({
    definition: machine(
      withChoice(chain('S', onlyOneMap(states), caught, end), states.length, rule),
      timeout === null ? {} : { TimeoutSeconds: timeout },
    ),
    script: script as Script,
  }));

/** The names inside a Map are fixed, so a machine has room for one. */
function onlyOneMap(states: readonly object[]): object[] {
  const first = states.findIndex((state) => 'ItemProcessor' in state);
  return states.map((state, index) => ('ItemProcessor' in state && index !== first ? { Type: 'Pass' } : state));
}
