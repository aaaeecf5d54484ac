import { describe, expect, it } from 'vitest';
import { machine, only, WORK } from './definitions.ts';
import { createWorld, FunctionError } from './world.ts';

const each = (states: Record<string, object>, more: object = {}) => ({
  Type: 'Map',
  Items: '{% $states.input.items %}',
  ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: Object.keys(states)[0], States: states },
  ...more,
});

const CALL = { ...WORK, Arguments: { FunctionName: 'work', Payload: '{% $states.input %}' }, End: true };

describe('Map', () => {
  it('gives the results in the order of the items, whatever the order of their ends', async () => {
    const Sleep = { Type: 'Wait', Seconds: '{% $states.input %}', Next: 'Double' };
    const Double = { Type: 'Pass', Output: '{% $states.input * 2 %}', End: true };
    const world = await createWorld({ machines: { main: only(each({ Sleep, Double })) } });

    const { output } = await world.run({ items: [3, 1, 2] });

    expect(output).toBe('[6,2,4]');
  });

  it('takes its input as items when it has no Items, and an array of literals and expressions as well', async () => {
    const Same = { Type: 'Pass', End: true };
    const input = await createWorld({ machines: { main: only(each({ Same }, { Items: undefined })) } });
    const literal = await createWorld({ machines: { main: only(each({ Same }, { Items: [1, '{% 1 + 1 %}'] })) } });

    expect((await input.run(['a'])).output).toBe('["a"]');
    expect((await literal.run()).output).toBe('[1,2]');
  });

  it('ends at once without items', async () => {
    const world = await createWorld({ machines: { main: only(each({ Call: CALL })) } });

    expect((await world.run({ items: [] })).output).toBe('[]');
    expect(world.invocations).toEqual([]);
  });

  it('makes the input of each iteration with ItemSelector, which sees item and index', async () => {
    const ItemSelector = {
      value: '{% $states.context.Map.Item.Value %}',
      index: '{% $states.context.Map.Item.Index %}',
      all: '{% $count($states.input.items) %}',
    };
    const Show = {
      Type: 'Pass',
      Output: { input: '{% $states.input %}', item: '{% $states.context.Map.Item %}' },
      End: true,
    };
    const world = await createWorld({ machines: { main: only(each({ Show }, { ItemSelector })) } });

    const { output = '' } = await world.run({ items: ['a', 'b'] });

    expect(JSON.parse(output)).toEqual([
      { input: { value: 'a', index: 0, all: 2 }, item: { Index: 0, Value: 'a' } },
      { input: { value: 'b', index: 1, all: 2 }, item: { Index: 1, Value: 'b' } },
    ]);
  });

  it('has Output and Assign of its own over the array of results', async () => {
    const definition = machine({
      Each: each(
        { Call: CALL },
        { Output: '{% $sum($states.result.Payload) %}', Assign: { n: '{% $count($states.result) %}' }, Next: 'Show' },
      ),
      Show: { Type: 'Succeed', Output: ['{% $states.input %}', '{% $n %}'] },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: (_, payload: number) => payload * 10 });

    expect((await world.run({ items: [1, 2] })).output).toBe('[30,2]');
  });

  it('keeps the variables of iterations apart, and lets them read those around', async () => {
    const inner = {
      Set: { Type: 'Pass', Assign: { own: '{% $states.input & $outer %}' }, Next: 'Sleep' },
      Sleep: { Type: 'Wait', Seconds: 1, Next: 'Get' },
      Get: { Type: 'Succeed', Output: '{% $own %}' },
    };
    const definition = machine({
      Outer: { Type: 'Pass', Assign: { outer: '!' }, Next: 'Each' },
      Each: each(inner, { Next: 'Show' }),
      Show: { Type: 'Succeed', Output: { items: '{% $states.input %}', own: '{% $exists($own) %}' } },
    });
    const world = await createWorld({ machines: { main: definition } });

    const { output } = await world.run({ items: ['a', 'b'] });

    expect(output).toBe('{"items":["a!","b!"],"own":false}');
  });

  it.each([
    [undefined, 40],
    [0, 40],
    [2, 2],
    ['{% $states.input.most %}', 3],
  ])('has at most MaxConcurrency iterations at work: %j gives %i', async (MaxConcurrency, most) => {
    let working = 0;
    let mostWorking = 0;
    const world = await createWorld({
      machines: { main: only(each({ Call: CALL }, { MaxConcurrency })) },
      lambda: async () => {
        working += 1;
        mostWorking = Math.max(mostWorking, working);
        await new Promise((resolve) => setImmediate(resolve));
        working -= 1;
      },
    });

    const { status } = await world.run({ items: Array.from({ length: 50 }, (_, index) => index), most: 3 });

    expect(status).toBe('SUCCEEDED');
    expect(mostWorking).toBe(most);
  });

  it('may stand in another Map', async () => {
    const inner = each(
      { Add: { Type: 'Pass', Output: '{% $states.input + 1 %}', End: true } },
      { Items: '{% $states.input %}', End: true },
    );
    const world = await createWorld({ machines: { main: only(each({ Inner: inner })) } });

    expect((await world.run({ items: [[1, 2], [], [3]] })).output).toBe('[[2,3],[],[4]]');
  });

  it('needs an array', async () => {
    const world = await createWorld({ machines: { main: only(each({ Call: CALL })) } });

    expect(await world.run({ items: { a: 1 } })).toMatchObject({ error: 'States.QueryEvaluationError' });
  });
});

describe('a failure in an iteration', () => {
  const failOn = (bad: number) => (_: string, payload: number) => {
    if (payload === bad) throw new FunctionError('Bad');
    return payload;
  };

  it('is handled inside when a state of the iteration catches it', async () => {
    const states = {
      Call: {
        ...CALL,
        Catch: [{ ErrorEquals: ['Bad'], Output: 'caught', Next: 'Same' }],
        Output: '{% $states.result.Payload %}',
      },
      Same: { Type: 'Pass', End: true },
    };
    const world = await createWorld({ machines: { main: only(each(states)) }, lambda: failOn(2) });

    expect((await world.run({ items: [1, 2, 3] })).output).toBe('[1,"caught",3]');
  });

  it('ends the Map state and the other iterations, and can be caught there', async () => {
    const definition = machine({
      Each: each(
        { Sleep: { Type: 'Wait', Seconds: '{% $states.input %}', Next: 'Call' }, Call: CALL },
        { Catch: [{ ErrorEquals: ['Bad'], Next: 'Show' }], End: true },
      ),
      Show: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: failOn(2) });

    const { output } = await world.run({ items: [1, 2, 100] });

    expect(output).toBe('"Bad"');
    expect(world.invocations.map(({ payload }) => payload)).toEqual([1, 2]);
    expect(world.clock.pending).toBe(0);
  });

  it('makes the Map state begin again when it has a Retry', async () => {
    let calls = 0;
    const world = await createWorld({
      machines: {
        main: only(each({ Call: CALL }, { Retry: [{ ErrorEquals: ['Bad'], IntervalSeconds: 5 }], Output: 'done' })),
      },
      lambda: (_, payload: number) => {
        calls += 1;
        if (calls === 2) throw new FunctionError('Bad');
        return payload;
      },
    });
    const startMs = world.clock.nowMs();

    const { output } = await world.run({ items: [1, 2] });

    expect(output).toBe('"done"');
    expect(world.clock.nowMs() - startMs).toBe(5000);
    expect(calls).toBe(4);
  });

  it('ends the execution when nobody takes it, and late answers of other iterations do no harm', async () => {
    const late = Promise.withResolvers<void>();
    const world = await createWorld({
      machines: { main: only(each({ Call: CALL })) },
      lambda: (_, payload: number) => (payload === 1 ? late.promise : failOn(2)('', payload)),
    });

    const { error } = await world.run({ items: [1, 2] });
    late.resolve();
    await world.quiet();

    expect(error).toBe('Bad');
    expect(world.faults).toEqual([]);
  });
});
