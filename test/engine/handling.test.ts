import { describe, expect, it } from 'vitest';
import { machine, only, WORK } from './definitions.ts';
import { createWorld, FunctionError } from './world.ts';

/** Throws these errors in turn, null meaning none, and answers with the number of calls. */
function failing(...errors: (string | null)[]): () => number {
  let calls = 0;
  return () => {
    const name = errors[calls];
    calls += 1;
    if (name !== undefined && name !== null) throw new FunctionError(name);
    return calls;
  };
}

async function caught(handlers: object, error = 'Own', more: Record<string, object> = {}) {
  const definition = machine({
    Work: { ...WORK, End: true, ...handlers },
    Handle: { Type: 'Succeed', Output: { handled: '{% $states.input %}' } },
    ...more,
  });
  const world = await createWorld({ machines: { main: definition }, lambda: failing(error) });
  const described = await world.run({ from: 'start' });
  return { world, described, output: described.output === undefined ? undefined : JSON.parse(described.output) };
}

describe('Retry', () => {
  it('calls again after each delay, and resets once the state is left', async () => {
    const definition = machine({
      Work: { ...WORK, Retry: [{ ErrorEquals: ['Own'], IntervalSeconds: 2, MaxAttempts: 2 }], Next: 'Again' },
      Again: { ...WORK, Retry: [{ ErrorEquals: ['Own'], IntervalSeconds: 2, MaxAttempts: 2 }], End: true },
    });
    const world = await createWorld({
      machines: { main: definition },
      lambda: failing('Own', 'Own', null, 'Own', 'Own', 'Own'),
    });
    const startMs = world.clock.nowMs();

    const { status } = await world.run();

    expect(status).toBe('FAILED');
    expect(world.invocations).toHaveLength(6);
    expect(world.clock.nowMs() - startMs).toBe(2000 + 4000 + 2000 + 4000);
  });

  it('evaluates the arguments anew and counts in $states.context.State.RetryCount', async () => {
    const state = {
      ...WORK,
      Arguments: { FunctionName: 'work', Payload: '{% $states.context.State.RetryCount %}' },
      Retry: [{ ErrorEquals: ['A'] }, { ErrorEquals: ['B'] }],
      Output: '{% $states.context.State.RetryCount %}',
    };
    const world = await createWorld({ machines: { main: only(state) }, lambda: failing('A', 'B') });

    const { output } = await world.run();

    expect(world.invocations.map(({ payload }) => payload)).toEqual([0, 1, 2]);
    expect(output).toBe('2');
  });

  it('keeps EnteredTime over its attempts, and never repeats it for another visit', async () => {
    const definition = machine({
      Work: {
        ...WORK,
        Arguments: { FunctionName: 'work', Payload: '{% $states.context.State.EnteredTime %}' },
        Retry: [{ ErrorEquals: ['Own'] }],
        Next: 'Again',
      },
      Again: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $states.input.Payload < 4 %}', Next: 'Work' }],
        Default: 'Done',
      },
      Done: { Type: 'Succeed' },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: failing('Own') });

    await world.run();

    const times = world.invocations.map(({ payload }) => Date.parse(String(payload)));
    expect(times[0]).toBe(times[1]);
    expect(new Set(times.slice(1)).size).toBe(3);
    expect(times.slice(1)).toEqual(times.slice(1).toSorted((one, other) => one - other));
  });

  it('goes before Catch, which takes over when no attempt is left', async () => {
    const { output, world } = await caught({
      Retry: [{ ErrorEquals: ['States.ALL'], MaxAttempts: 0 }],
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Handle' }],
    });

    expect(world.invocations).toHaveLength(1);
    expect(output.handled.Error).toBe('Own');
  });
});

describe('Catch', () => {
  it('goes to the first catcher that names the error, with the error output as input', async () => {
    const { output } = await caught(
      {
        Catch: [
          { ErrorEquals: ['Other'], Next: 'Never' },
          { ErrorEquals: ['Another', 'Own'], Next: 'Handle' },
          { ErrorEquals: ['States.ALL'], Next: 'Never' },
        ],
      },
      'Own',
      { Never: { Type: 'Fail' } },
    );

    expect(output.handled.Error).toBe('Own');
    expect(JSON.parse(output.handled.Cause)).toMatchObject({ errorMessage: 'it went wrong' });
  });

  it('has an Output and an Assign of its own, and those of the state are not evaluated', async () => {
    const { output } = await caught(
      {
        Output: '{% $error("not for a failure") %}',
        Assign: { by: 'state' },
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Output: { was: '{% $states.errorOutput.Error %}', input: '{% $states.input %}' },
            Assign: { by: '{% $states.errorOutput.Error & " caught" %}' },
            Next: 'Show',
          },
        ],
        Next: 'Handle',
        End: undefined,
      },
      'Own',
      { Show: { Type: 'Succeed', Output: ['{% $states.input %}', '{% $by %}'] } },
    );

    expect(output).toEqual([{ was: 'Own', input: { from: 'start' } }, 'Own caught']);
  });

  it('takes the failure of the state’s own Output after a success', async () => {
    const definition = machine({
      Work: {
        ...WORK,
        Output: '{% $states.result.Payload.missing %}',
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'Handle' }],
        End: true,
      },
      Handle: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: () => ({}) });

    expect((await world.run()).output).toBe('"States.QueryEvaluationError"');
  });

  it('does not take the failure of its own Output: the execution fails', async () => {
    const { described } = await caught({
      Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.errorOutput.Nothing %}', Next: 'Handle' }],
    });

    expect(described).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
    expect(described.cause).toContain('Catch[0]/Output');
  });

  it('does not take States.Runtime, not even by name', async () => {
    const state = {
      Type: 'Task',
      Resource: WORK.Resource,
      Arguments: '{% {} %}',
      Catch: [{ ErrorEquals: ['States.Runtime'], Next: 'Handle' }],
      End: true,
    };
    const world = await createWorld({ machines: { main: machine({ Work: state, Handle: { Type: 'Succeed' } }) } });

    expect(await world.run()).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  });

  it('takes States.DataLimitExceeded by name and not by a wildcard', async () => {
    const definition = (name: string) =>
      machine({
        Work: { ...WORK, Catch: [{ ErrorEquals: [name], Next: 'Handle' }], End: true },
        Handle: { Type: 'Succeed' },
      });
    const lambda = () => 'x'.repeat(300_000);
    const named = await createWorld({ machines: { main: definition('States.DataLimitExceeded') }, lambda });
    const wildcard = await createWorld({ machines: { main: definition('States.ALL') }, lambda });

    expect((await named.run()).status).toBe('SUCCEEDED');
    expect(await wildcard.run()).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});
