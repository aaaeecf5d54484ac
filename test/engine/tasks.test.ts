import { describe, expect, it } from 'vitest';
import { DISPATCH, INVOKE, machine, only, PUT_EVENTS, placeholder, WORK } from './definitions.ts';
import { createWorld, FunctionError, type WorldOptions } from './world.ts';

async function runTask(state: object, options: Partial<WorldOptions> = {}, input: unknown = {}) {
  const world = await createWorld({ machines: { main: only(state) }, ...options });
  const described = await world.run(input);
  return { world, described, output: described.output === undefined ? undefined : JSON.parse(described.output) };
}

describe('lambda:invoke', () => {
  it('calls the function with the evaluated payload, and results in the shape of the Lambda API', async () => {
    const state = {
      Type: 'Task',
      Resource: INVOKE,
      Arguments: { FunctionName: placeholder('WorkArn'), Payload: { n: '{% $states.input.n + 1 %}' } },
    };
    const substitutions = { WorkArn: 'arn:aws:lambda:us-east-1:000000000000:function:work' };

    const { world, output } = await runTask(state, { substitutions, lambda: () => ({ ok: true }) }, { n: 1 });

    expect(world.invocations).toEqual([{ functionName: 'work', payload: { n: 2 } }]);
    expect(output).toEqual({ ExecutedVersion: '$LATEST', Payload: { ok: true }, StatusCode: 200 });
  });

  it('takes the input of the state as its arguments when it has none', async () => {
    const input = { FunctionName: 'work', Payload: [1] };

    const { world } = await runTask({ Type: 'Task', Resource: INVOKE }, {}, input);

    expect(world.invocations).toEqual([{ functionName: 'work', payload: [1] }]);
  });

  it('sees the result in Output and Assign', async () => {
    const definition = machine({
      Work: {
        ...WORK,
        Output: '{% $states.result.Payload.a %}',
        Assign: { b: '{% $states.result.Payload.b %}' },
        Next: 'Show',
      },
      Show: { Type: 'Succeed', Output: ['{% $states.input %}', '{% $b %}'] },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: () => ({ a: 1, b: 2 }) });

    const { output } = await world.run();

    expect(output).toBe('[1,2]');
  });

  it('gives null for a function that returns nothing, and JSON for what it returns', async () => {
    const nothing = await runTask(WORK, { lambda: () => undefined });
    const date = await runTask(WORK, { lambda: () => ({ at: new Date(0), gone: undefined }) });

    expect(nothing.output.Payload).toBeNull();
    expect(date.output.Payload).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('fails with the name of the error that the function threw, and the Lambda runtime’s JSON as cause', async () => {
    const { described } = await runTask(WORK, {
      lambda: () => {
        throw new FunctionError('VolumeIsAttached', 'detach it first');
      },
    });

    expect(described).toMatchObject({ status: 'FAILED', error: 'VolumeIsAttached' });
    expect(JSON.parse(described.cause ?? '')).toEqual({
      errorType: 'VolumeIsAttached',
      errorMessage: 'detach it first',
      trace: [],
    });
  });

  it('fails with Lambda.ServiceException when the function cannot be called', async () => {
    const { described } = await runTask(WORK, {
      lambda: () => {
        throw new Error('no such function');
      },
    });

    expect(described).toMatchObject({ status: 'FAILED', error: 'Lambda.ServiceException' });
    expect(described.cause).toContain('no such function');
  });

  it('does not let a handler change what the engine keeps', async () => {
    const state = {
      ...WORK,
      Arguments: { FunctionName: 'work', Payload: '{% $states.input %}' },
      Output: '{% $states.input %}',
    };

    const { output } = await runTask(state, { lambda: (_, payload: { n: number }) => (payload.n = 2) }, { n: 1 });

    expect(output).toEqual({ n: 1 });
  });

  it.each([
    [{ FunctionName: 5 }, 'FunctionName'],
    [{ Payload: {} }, 'FunctionName'],
    [{ FunctionName: 'work', Qualifier: '1' }, 'Qualifier'],
    [[], 'array'],
  ])('fails with States.Runtime when an expression makes the arguments %j', async (given, word) => {
    const state = { Type: 'Task', Resource: INVOKE, Arguments: '{% $states.input.given %}' };

    const { described, world } = await runTask(state, {}, { given });

    expect(described.error).toBe('States.Runtime');
    expect(described.cause).toContain(word);
    expect(world.invocations).toEqual([]);
  });
});

describe('TimeoutSeconds', () => {
  it('ends an unanswered call with States.Timeout, and ignores the answer that comes later', async () => {
    const answer = Promise.withResolvers<unknown>();
    const definition = machine({
      Work: {
        ...WORK,
        TimeoutSeconds: '{% $states.input.limit %}',
        Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late' }],
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
      Late: { Type: 'Succeed', Output: '{% $states.input %}' },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: () => answer.promise });

    await world.start({ limit: 7 });
    await world.pass(6_999);
    const before = await world.describe('run');
    await world.pass(1);
    answer.resolve('too late');
    await world.quiet();

    expect(before.status).toBe('RUNNING');
    expect(await world.describe('run')).toMatchObject({ output: '{"Error":"States.Timeout","Cause":""}' });
  });

  it.each([0, 1.5, '5', 100_000_000])('refuses %j from an expression', async (limit) => {
    const { described } = await runTask({ ...WORK, TimeoutSeconds: '{% $states.input.limit %}' }, {}, { limit });

    expect(described.error).toBe('States.QueryEvaluationError');
  });

  it('does not matter once the task is done', async () => {
    const definition = machine({
      Work: { ...WORK, TimeoutSeconds: 5, Next: 'Wait' },
      Wait: { ...DISPATCH, End: true },
    });
    const world = await createWorld({ machines: { main: definition } });

    await world.start();

    expect(world.clock.pending).toBe(0);
    expect((await world.describe('run')).status).toBe('RUNNING');
  });
});

describe('events:putEvents', () => {
  const entry = { DetailType: 'Volume Migration Started', EventBusName: 'default', Source: 'volmove' };

  it('makes JSON text of Detail, and adds the machine and the execution to Resources', async () => {
    const Arguments = {
      Entries: [
        { ...entry, Detail: { n: '{% $states.input.n %}' } },
        { ...entry, Detail: '{}' },
      ],
    };

    const { world, output } = await runTask({ Type: 'Task', Resource: PUT_EVENTS, Arguments }, {}, { n: 1 });

    const Resources = [
      'arn:aws:states:us-east-1:000000000000:stateMachine:main',
      'arn:aws:states:us-east-1:000000000000:execution:main:run',
    ];
    expect(world.events).toEqual([
      { ...entry, Detail: '{"n":1}', Resources },
      { ...entry, Detail: '{}', Resources },
    ]);
    expect(output).toEqual({ FailedEntryCount: 0, Entries: [{ EventId: 'event-0' }, { EventId: 'event-1' }] });
  });

  it('fails with EventBridge.FailedEntry when the bus refuses an entry', async () => {
    const refusal = {
      FailedEntryCount: 1,
      Entries: [{ ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }],
    };
    const state = { Type: 'Task', Resource: PUT_EVENTS, Arguments: { Entries: [{ ...entry, Detail: '"text"' }] } };

    const { described } = await runTask(state, { putEvents: async () => refusal });

    expect(described).toMatchObject({ error: 'EventBridge.FailedEntry', cause: JSON.stringify(refusal) });
  });

  it('fails with States.Runtime when Entries is no array', async () => {
    const state = { Type: 'Task', Resource: PUT_EVENTS, Arguments: { Entries: '{% $states.input %}' } };

    const { described } = await runTask(state, {}, 'nothing');

    expect(described.error).toBe('States.Runtime');
  });
});

describe('the size of a payload', () => {
  const LARGEST = 262_144;
  /** A string whose JSON has this many bytes. */
  const ofBytes = (bytes: number) => 'x'.repeat(bytes - 2);

  it('may be 256 KiB, and not a byte more, for the output of a state', async () => {
    const fits = await runTask(
      { Type: 'Pass', Output: '{% $pad("", $states.input.n, "x") %}' },
      {},
      { n: LARGEST - 2 },
    );
    const exceeds = await runTask(
      { Type: 'Pass', Output: '{% $pad("", $states.input.n, "x") %}' },
      {},
      { n: LARGEST - 1 },
    );

    expect(fits.described.status).toBe('SUCCEEDED');
    expect(exceeds.described).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('is counted in bytes of UTF-8', async () => {
    const { described } = await runTask({ Type: 'Pass', Output: '{% $pad("", 140000, "é") %}' });

    expect(described.error).toBe('States.DataLimitExceeded');
  });

  it('limits the result of a task, the arguments and what a state assigns', async () => {
    const result = await runTask({ ...WORK, Output: 'small' }, { lambda: () => ofBytes(LARGEST) });
    const given = await runTask({
      ...WORK,
      Arguments: { FunctionName: 'work', Payload: '{% $pad("", 262144, "x") %}' },
    });
    const assigned = await runTask({ Type: 'Pass', Assign: { x: '{% $pad("", 262144, "x") %}' } });

    expect(result.described.error).toBe('States.DataLimitExceeded');
    expect(given.described.error).toBe('States.DataLimitExceeded');
    expect(given.world.invocations).toEqual([]);
    expect(assigned.described.error).toBe('States.DataLimitExceeded');
  });
});
