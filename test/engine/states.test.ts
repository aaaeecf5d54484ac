import { describe, expect, it } from 'vitest';
import { machine, only } from './definitions.ts';
import { createWorld } from './world.ts';

async function outputOf(definition: object, input: unknown = {}): Promise<unknown> {
  const world = await createWorld({ machines: { main: definition } });
  const { status, output = 'null', error, cause } = await world.run(input);
  return status === 'SUCCEEDED' ? JSON.parse(output) : { status, error, cause };
}

describe('Pass', () => {
  it('hands its input on when it has no Output', async () => {
    const output = await outputOf(only({ Type: 'Pass' }), { a: [1, { b: null }] });

    expect(output).toEqual({ a: [1, { b: null }] });
  });

  it('makes its output of literals and expressions at any depth', async () => {
    const state = {
      Type: 'Pass',
      Output: { sum: '{% $sum($states.input.n) %}', deep: [{ n: '{%$states.input.n%}' }, 'x'] },
    };

    const output = await outputOf(only(state), { n: [1, 2] });

    expect(output).toEqual({ sum: 3, deep: [{ n: [1, 2] }, 'x'] });
  });

  it('takes a string that is an expression only in part as text', async () => {
    const output = await outputOf(only({ Type: 'Pass', Output: ['a {% 1 %} b', ' {% 1 %} '] }));

    expect(output).toEqual(['a {% 1 %} b', ' {% 1 %} ']);
  });
});

describe('Assign', () => {
  it('evaluates all values with the old ones, and shows the new ones to the next state only', async () => {
    const output = await outputOf(
      machine({
        One: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'Swap' },
        Swap: {
          Type: 'Pass',
          Assign: { x: '{% $y %}', y: '{% $x %}' },
          Output: ['{% $x %}', '{% $y %}'],
          Next: 'Show',
        },
        Show: { Type: 'Pass', Output: { swap: '{% $states.input %}', show: ['{% $x %}', '{% $y %}'] }, End: true },
      }),
    );

    expect(output).toEqual({ swap: [1, 2], show: [2, 1] });
  });

  it('keeps the variables that a state does not assign', async () => {
    const output = await outputOf(
      machine({
        One: { Type: 'Pass', Assign: { a: { deep: [true] } }, Next: 'Two' },
        Two: { Type: 'Pass', Assign: { b: 2 }, Next: 'Show' },
        Show: { Type: 'Succeed', Output: { a: '{% $a %}', b: '{% $b %}' } },
      }),
    );

    expect(output).toEqual({ a: { deep: [true] }, b: 2 });
  });
});

describe('Choice', () => {
  const choice = machine({
    Which: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.n > 10 %}', Next: 'Show', Output: 'large', Assign: { by: 'first rule' } },
        { Condition: '{% $states.input.n > 5 %}', Next: 'Show', Assign: { by: 'second rule' } },
      ],
      Default: 'Show',
      Output: 'small',
      Assign: { by: 'default' },
    },
    Show: { Type: 'Succeed', Output: { input: '{% $states.input %}', by: '{% $by %}' } },
  });

  it('follows the first rule that is true, with the Output and Assign of that rule alone', async () => {
    expect(await outputOf(choice, { n: 11 })).toEqual({ input: 'large', by: 'first rule' });
    expect(await outputOf(choice, { n: 6 })).toEqual({ input: { n: 6 }, by: 'second rule' });
  });

  it('follows Default with the Output and Assign of the state', async () => {
    expect(await outputOf(choice, { n: 1 })).toEqual({ input: 'small', by: 'default' });
  });

  it('fails with States.NoChoiceMatched when no rule is true and there is no Default', async () => {
    const definition = machine({
      Which: { Type: 'Choice', Choices: [{ Condition: false, Next: 'End' }] },
      End: { Type: 'Succeed' },
    });

    expect(await outputOf(definition)).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });

  it('fails when a condition gives no boolean', async () => {
    const definition = machine({
      Which: { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'End' }] },
      End: { Type: 'Succeed' },
    });

    const { error, cause } = (await outputOf(definition)) as { error: string; cause: string };

    expect(error).toBe('States.QueryEvaluationError');
    expect(cause).toContain('Choices[0]/Condition');
  });
});

describe('Wait', () => {
  it('sleeps for a number of seconds, given or calculated', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Seconds: '{% $states.input.s %}' }) } });
    const startMs = world.clock.nowMs();

    const { status } = await world.run({ s: 90 });

    expect(status).toBe('SUCCEEDED');
    expect(world.clock.nowMs() - startMs).toBe(90_000);
  });

  it('sleeps until a time, with any offset and fraction', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Timestamp: '{% $states.input.t %}' }) } });

    await world.run({ t: '2030-01-02T12:00:00.5+02:00' });

    expect(new Date(world.clock.nowMs()).toISOString()).toBe('2030-01-02T10:00:00.500Z');
  });

  it('does not sleep until a time that has passed', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Timestamp: '2001-01-01T00:00:00Z' }) } });
    const startMs = world.clock.nowMs();

    const { status } = await world.run();

    expect(status).toBe('SUCCEEDED');
    expect(world.clock.nowMs()).toBe(startMs);
  });

  it.each(['2016-12-05 21:29:29Z', '2016-12-05T21:29:29', '2016-13-05T21:29:29Z', '05-12-2016T21:29:29Z', 5])(
    'refuses %j as a time',
    async (t) => {
      const output = await outputOf(only({ Type: 'Wait', Timestamp: '{% $states.input.t %}' }), { t });

      expect(output).toMatchObject({ error: 'States.QueryEvaluationError' });
    },
  );

  it.each([-1, 1.5, '5'])('refuses %j as seconds', async (s) => {
    const output = await outputOf(only({ Type: 'Wait', Seconds: '{% $states.input.s %}' }), { s });

    expect(output).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('Succeed and Fail', () => {
  it('ends with the Output of Succeed', async () => {
    expect(await outputOf(only({ Type: 'Succeed', Output: '{% $states.input.x %}' }), { x: 'y' })).toBe('y');
  });

  it('ends with the error and cause of Fail, given or calculated', async () => {
    const output = await outputOf(only({ Type: 'Fail', Error: '{% $states.input.e %}', Cause: 'because' }), {
      e: 'Oops',
    });

    expect(output).toEqual({ status: 'FAILED', error: 'Oops', cause: 'because' });
  });

  it('ends without error and cause when Fail has none', async () => {
    const output = await outputOf(only({ Type: 'Fail' }));

    expect(output).toEqual({ status: 'FAILED', error: undefined, cause: undefined });
  });
});

describe('the time-out of a machine', () => {
  it('ends the execution as TIMED_OUT, whatever it is doing', async () => {
    const world = await createWorld({
      machines: { main: only({ Type: 'Wait', Seconds: 100 }, { TimeoutSeconds: 10 }) },
    });

    const { status, error } = await world.run();

    expect({ status, error }).toEqual({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect((await world.history('run')).at(-1)?.type).toBe('ExecutionTimedOut');
    expect(world.clock.pending).toBe(0);
  });
});
