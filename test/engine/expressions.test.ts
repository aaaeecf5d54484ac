import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { compileExpression } from '../../embedded/engine/expressions/compile.ts';
import { DISPATCH, machine, only, WORK } from './definitions.ts';
import { createWorld } from './world.ts';

/** Evaluates an expression in a Pass state; the state has the variable `x`. */
async function value(expression: string, input: unknown = {}): Promise<unknown> {
  const definition = machine({
    Set: { Type: 'Pass', Assign: { x: [1, 2, 3] }, Next: 'Show' },
    Show: { Type: 'Pass', Output: { field: `{% ${expression} %}` }, End: true },
  });
  const world = await createWorld({ machines: { main: definition } });
  const described = await world.run(input);
  if (described.output !== undefined) return JSON.parse(described.output).field;
  return `${described.error}: ${described.cause}`;
}

describe('the functions of Step Functions', () => {
  it.each([
    ['$partition($x, 2)', [[1, 2], [3]]],
    ['$partition([], 2)', []],
    ['$range(1, 5, 2)', [1, 3, 5]],
    ['$range(5, 1, -3)', [5, 2]],
    ['$range(5, 1, 1)', []],
    ['$hash("a", "MD5")', '0cc175b9c0f1b6a831c399e269772661'],
    ['$hash("a", "SHA-256")', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
    ['$parse(\'{"a":[1]}\')', { a: [1] }],
    ['$random()', 0.5],
    ['$random(7) = $random(7)', true],
    ['$random(7) = $random(8)', false],
    ['$uuid()', '00000000-0000-4000-8000-000000000001'],
    ['$now()', '2030-01-01T00:00:00.000Z'],
    ['$now("[Y]")', '2030'],
    ['$millis()', Date.UTC(2030, 0, 1)],
  ])('%s', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  it.each(['$partition($x, 0)', '$range(0, 5000, 1)', '$range(0, 1, 0)', '$hash("a", "CRC")', '$parse("{")'])(
    'report what they cannot do: %s',
    async (expression) => {
      expect(await value(expression)).toContain('States.QueryEvaluationError');
    },
  );
});

describe('an expression', () => {
  it('is evaluated again when its process was frozen in the middle of it, and not for ever', async () => {
    const real = Date.now;
    let frozen = 0;
    const freezing = (times: number) => {
      frozen = times * 2;
      // its begin, then its first look at the time
      vi.spyOn(Date, 'now').mockImplementation(() => real() + (frozen > 0 && --frozen % 2 === 0 ? 5_000 : 0));
    };
    onTestFinished(() => void vi.restoreAllMocks());
    const environment = { newId: () => 'id', random: () => 0, nowMs: () => 0 } as never;
    const expression = compileExpression('$n', [], environment, () => undefined);

    freezing(2);
    const gone = await expression?.evaluate({ n: 7 });
    freezing(3);
    const endless = await expression?.evaluate({ n: 7 }).catch((error: unknown) => error);

    expect(gone).toBe(7);
    expect(endless).toMatchObject({ code: 'D1012' });
  });

  it('gives one value, a list or an object, as JSONata says', async () => {
    expect(await value('$x[$ > 1]')).toEqual([2, 3]);
    expect(await value('$x[$ > 2]')).toBe(3);
    expect(await value('$merge([{"a": 1}, {"b": null}])')).toEqual({ a: 1, b: null });
  });

  it.each([
    ['$nothing', 'returned nothing (undefined)'],
    ['$states.input.missing', 'returned nothing (undefined)'],
    ['1 + "a"', 'T2002'],
    ['1/0', 'is not JSON'],
    ['function($a) { $a }', 'is not JSON'],
    ['{"f": $sum}', 'is not JSON'],
    ['$error("said so")', 'said so'],
  ])('fails the state with its place and its text: %s', async (expression, words) => {
    const failure = await value(expression);

    expect(failure).toContain('States.QueryEvaluationError');
    expect(failure).toContain("'Output/field'");
    expect(failure).toContain(words);
  });

  it('ends when it would run for ever', async () => {
    expect(await value('($f := function($n) { $f($n + 1) }; $f(0))')).toContain('D1012');
  });

  it('does not change variables by its own assignments', async () => {
    expect(await value('($x := 5; $x)')).toBe(5);
    expect(await value('$x')).toEqual([1, 2, 3]);
  });

  it('sees members of input that look like parts of JavaScript as data only', async () => {
    const input = JSON.parse('{"constructor": 1, "__proto__": {"polluted": true}}');

    expect(await value('$states.input.constructor', input)).toBe(1);
    expect(Object.keys({})).not.toContain('polluted');
  });
});

describe('$states.context', () => {
  it('tells of execution, state and machine', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Pass', Output: '{% $states.context %}' }) } });

    const { output = '' } = await world.run({ n: 1 });

    expect(JSON.parse(output)).toEqual({
      Execution: {
        Id: 'arn:aws:states:us-east-1:000000000000:execution:main:run',
        Input: { n: 1 },
        Name: 'run',
        RoleArn: 'arn:aws:iam::000000000000:role/main',
        StartTime: '2030-01-01T00:00:00.000Z',
        RedriveCount: 0,
      },
      State: { EnteredTime: '2030-01-01T00:00:00.000Z', Name: 'Only', RetryCount: 0 },
      StateMachine: { Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:main', Name: 'main' },
    });
  });

  it('has the token in tasks that wait for one, and there only', async () => {
    const Arguments = { FunctionName: 'f', Payload: '{% $exists($states.context.Task) %}' };
    const definition = machine({
      Call: { ...WORK, Arguments, Next: 'Wait' },
      Wait: { ...DISPATCH, Arguments, End: true },
    });
    const world = await createWorld({ machines: { main: definition } });

    await world.start();

    expect(world.invocations.map(({ payload }) => payload)).toEqual([false, true]);
  });
});
