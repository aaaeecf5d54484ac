import { describe, expect, it } from 'vitest';
import { DISPATCH, machine, only, placeholder } from './definitions.ts';
import { createWorld, type World } from './world.ts';

const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:main';
const executionArn = 'arn:aws:states:us-east-1:000000000000:execution:main:run';

const waiting = () => createWorld({ machines: { main: only(DISPATCH), other: only({ Type: 'Succeed' }) } });
const startCall = (world: World, more: object) => world.call('StartExecution', { stateMachineArn, ...more });

describe('StartExecution', () => {
  it('answers the same name and input with the same execution while it runs', async () => {
    const world = await waiting();

    const first = await startCall(world, { name: 'run', input: '{"a":1}' });
    world.clock.setTime(world.clock.nowMs() + 5000);
    const second = await startCall(world, { name: 'run', input: '{"a":1}' });
    await world.quiet();

    expect(first).toEqual({ executionArn, startDate: Date.UTC(2030, 0, 1) / 1000 });
    expect(second).toEqual(first);
    expect(world.invocations).toHaveLength(1);
  });

  it('refuses the same name with another input', async () => {
    const world = await waiting();
    await startCall(world, { name: 'run' });

    await expect(startCall(world, { name: 'run', input: '{"a":1}' })).rejects.toMatchObject({
      code: 'ExecutionAlreadyExists',
    });
    expect(await startCall(world, { name: 'run', input: '{}' })).toMatchObject({ executionArn });
  });

  it('refuses the name of an execution that has ended, with any input', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    await world.run();

    await expect(startCall(world, { name: 'run', input: '{}' })).rejects.toMatchObject({
      code: 'ExecutionAlreadyExists',
    });
  });

  it('starts one execution for calls at the same time', async () => {
    const world = await waiting();

    const answers = await Promise.all([1, 2, 3].map(() => startCall(world, { name: 'run' })));
    await world.quiet();

    expect(new Set(answers.map((answer) => answer.startDate)).size).toBe(1);
    expect(world.invocations).toHaveLength(1);
  });

  it('makes a name and an empty input when there are none', async () => {
    const world = await waiting();

    const answer = await startCall(world, {});

    expect(answer.executionArn).toMatch(/:execution:main:[0-9a-f-]{36}$/);
    expect(await world.call('DescribeExecution', { executionArn: answer.executionArn })).toMatchObject({ input: '{}' });
  });

  it('takes names with any characters that Step Functions allows', async () => {
    const world = await waiting();

    for (const name of ['é'.repeat(80), "it's(1)", '..', 'A.b-_']) await startCall(world, { name });

    const { executions } = await world.call('ListExecutions', { stateMachineArn });
    expect(executions).toHaveLength(4);
    const again = await world.restart();
    expect(await again.call('ListExecutions', { stateMachineArn })).toEqual({ executions });
  });

  it.each([
    ['InvalidName', { name: 'a b' }],
    ['InvalidName', { name: 'a/b' }],
    ['InvalidName', { name: 'x'.repeat(81) }],
    ['InvalidName', { name: '' }],
    ['InvalidName', { name: 'a\u0000' }],
    ['InvalidExecutionInput', { input: '{' }],
    ['InvalidExecutionInput', { input: '' }],
    ['ValidationException', { input: JSON.stringify('x'.repeat(262_144)) }],
    ['ValidationException', { input: {} }],
    ['ValidationException', { stateMachineArn: undefined }],
    ['InvalidArn', { stateMachineArn: 'main' }],
    ['InvalidArn', { stateMachineArn: executionArn }],
    ['StateMachineDoesNotExist', { stateMachineArn: `${stateMachineArn}x` }],
    ['StateMachineDoesNotExist', { stateMachineArn: stateMachineArn.replace('us-east-1', 'eu-west-1') }],
  ])('refuses with %s: %j', async (code, input) => {
    const world = await waiting();

    await expect(startCall(world, input)).rejects.toMatchObject({ code });
    expect(await world.call('ListExecutions', { stateMachineArn })).toEqual({ executions: [] });
  });
});

describe('DescribeExecution', () => {
  it('tells of an execution that runs, and of its end', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Seconds: 5 }) } });
    await world.start({ a: 1 });

    const running = await world.describe('run');
    await world.pass(5000);
    const ended = await world.describe('run');

    const startDate = Date.UTC(2030, 0, 1) / 1000;
    const always = {
      executionArn,
      stateMachineArn,
      name: 'run',
      startDate,
      input: '{"a":1}',
      inputDetails: { included: true },
      redriveCount: 0,
      redriveStatus: 'NOT_REDRIVABLE',
    };
    expect(running).toEqual({
      ...always,
      status: 'RUNNING',
      redriveStatusReason: 'Execution is RUNNING and cannot be redriven',
    });
    expect(ended).toEqual({
      ...always,
      status: 'SUCCEEDED',
      stopDate: startDate + 5,
      output: '{"a":1}',
      outputDetails: { included: true },
      redriveStatusReason: 'Execution is SUCCEEDED and cannot be redriven',
    });
  });

  it.each([
    ['ExecutionDoesNotExist', executionArn],
    ['ExecutionDoesNotExist', executionArn.replace('main', 'nothing')],
    ['InvalidArn', stateMachineArn],
    ['InvalidArn', 'run'],
  ])('refuses with %s: %s', async (code, arn) => {
    const world = await waiting();

    await expect(world.call('DescribeExecution', { executionArn: arn })).rejects.toMatchObject({ code });
  });
});

describe('ListExecutions', () => {
  async function many() {
    const world = await createWorld({
      machines: {
        main: machine({
          Which: {
            Type: 'Choice',
            Choices: [{ Condition: '{% $states.input.fail %}', Next: 'Bad' }],
            Default: 'Sleep',
          },
          Bad: { Type: 'Fail' },
          Sleep: { Type: 'Wait', Seconds: 1000, End: true },
        }),
      },
    });
    for (const [index, fail] of [true, false, true, false, false].entries()) {
      await world.start({ fail }, `run-${index}`);
      await world.pass(1);
    }
    const list = async (input: object = {}) => {
      const answer = await world.call('ListExecutions', { stateMachineArn, ...input });
      return { names: (answer.executions as { name: string }[]).map(({ name }) => name), nextToken: answer.nextToken };
    };
    return { world, list };
  }

  it('lists the newest first', async () => {
    const { list } = await many();

    expect(await list()).toEqual({ names: ['run-4', 'run-3', 'run-2', 'run-1', 'run-0'], nextToken: undefined });
  });

  it('filters by status', async () => {
    const { list } = await many();

    expect((await list({ statusFilter: 'FAILED' })).names).toEqual(['run-2', 'run-0']);
    expect((await list({ statusFilter: 'RUNNING' })).names).toEqual(['run-4', 'run-3', 'run-1']);
    expect((await list({ statusFilter: 'PENDING_REDRIVE' })).names).toEqual([]);
  });

  it('gives pages that new executions do not shift', async () => {
    const { world, list } = await many();

    const first = await list({ maxResults: 2 });
    await world.start({ fail: true }, 'run-new');
    const second = await list({ maxResults: 2, nextToken: first.nextToken });
    const third = await list({ maxResults: 2, nextToken: second.nextToken });

    expect([first.names, second.names, third.names]).toEqual([['run-4', 'run-3'], ['run-2', 'run-1'], ['run-0']]);
    expect(third.nextToken).toBeUndefined();
  });

  it.each([
    ['ValidationException', { maxResults: 1001 }],
    ['ValidationException', { statusFilter: 'DONE' }],
    ['InvalidToken', { nextToken: 'MQ' }],
    ['StateMachineDoesNotExist', { stateMachineArn: `${stateMachineArn}x` }],
  ])('refuses with %s: %j', async (code, input) => {
    const world = await waiting();

    await expect(world.call('ListExecutions', { stateMachineArn, ...input })).rejects.toMatchObject({ code });
  });
});

describe('StopExecution', () => {
  it('ends a running execution as ABORTED, with error and cause, and stops its timers', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Seconds: 100 }) } });
    await world.start();
    await world.pass(3000);

    const { stopDate } = await world.call('StopExecution', { executionArn, error: 'Enough', cause: 'asked for' });

    expect(await world.describe('run')).toMatchObject({
      status: 'ABORTED',
      error: 'Enough',
      cause: 'asked for',
      stopDate,
    });
    expect((await world.history('run')).at(-1)).toMatchObject({
      type: 'ExecutionAborted',
      executionAbortedEventDetails: { error: 'Enough', cause: 'asked for' },
    });
    expect(world.clock.pending).toBe(0);
  });

  it('does nothing to an execution that has ended', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    const { stopDate } = await world.run();

    expect(await world.call('StopExecution', { executionArn })).toEqual({ stopDate });
    expect((await world.describe('run')).status).toBe('SUCCEEDED');
  });
});

describe('state machines', () => {
  it('are described with the definition that runs', async () => {
    const definition = only({ ...DISPATCH, Arguments: { FunctionName: placeholder('Function') } });
    const world = await createWorld({ machines: { main: definition }, substitutions: { Function: 'f' } });

    const described = await world.call('DescribeStateMachine', { stateMachineArn });

    expect(described).toMatchObject({ stateMachineArn, name: 'main', status: 'ACTIVE', type: 'STANDARD' });
    expect(JSON.parse(String(described.definition)).States.Only.Arguments).toEqual({ FunctionName: 'f' });
  });

  it('are listed by name, in pages', async () => {
    const world = await waiting();
    const names = (answer: Record<string, unknown>) =>
      (answer.stateMachines as { name: string }[]).map(({ name }) => name);

    const all = await world.call('ListStateMachines', {});
    const first = await world.call('ListStateMachines', { maxResults: 1 });
    const second = await world.call('ListStateMachines', { maxResults: 1, nextToken: first.nextToken });

    expect(names(all)).toEqual(['main', 'other']);
    expect([names(first), names(second), second.nextToken]).toEqual([['main'], ['other'], undefined]);
  });
});

describe('other calls', () => {
  it('are refused by name', async () => {
    const world = await waiting();

    await expect(world.call('CreateActivity', {})).rejects.toMatchObject({ code: 'UnknownOperationException' });
    await expect(world.call('constructor', {})).rejects.toMatchObject({ code: 'UnknownOperationException' });
  });

  it('are refused when the body is no object', async () => {
    const world = await waiting();

    expect(await world.engine.handle('AWSStepFunctions.DescribeExecution', null)).toMatchObject({
      status: 400,
      body: { __type: 'ValidationException' },
    });
  });

  it('are not answered before resume and after close', async () => {
    const world = await waiting();
    await world.engine.close();

    await expect(world.engine.handle('AWSStepFunctions.ListStateMachines', {})).rejects.toThrow(
      'between resume and close',
    );
  });
});

describe('status changes', () => {
  it('are told at start and at the end, in the detail of the event of aws.states', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Seconds: 5 }) } });
    await world.run({ a: 1 });

    const startDate = Date.UTC(2030, 0, 1);
    const always = {
      executionArn,
      stateMachineArn,
      name: 'run',
      startDate,
      input: '{"a":1}',
      inputDetails: { included: true },
    };
    expect(world.statusChanges).toMatchObject([
      { ...always, status: 'RUNNING', stopDate: null, output: null, outputDetails: null, error: null, cause: null },
      {
        ...always,
        status: 'SUCCEEDED',
        stopDate: startDate + 5000,
        output: '{"a":1}',
        outputDetails: { included: true },
      },
    ]);
  });

  it('tell error and cause of a failure, and of an abort', async () => {
    const failed = await createWorld({ machines: { main: only({ Type: 'Fail', Error: 'E', Cause: 'C' }) } });
    const aborted = await waiting();
    await failed.run();
    await aborted.start();
    await aborted.call('StopExecution', { executionArn, error: 'Stop' });

    expect(failed.statusChanges[1]).toMatchObject({ status: 'FAILED', error: 'E', cause: 'C', output: null });
    expect(aborted.statusChanges[1]).toMatchObject({ status: 'ABORTED', error: 'Stop', cause: null });
  });

  it('leave out input and output that are too large for an event', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    await world.run('x'.repeat(200_000));

    expect(world.statusChanges[1]).toMatchObject({
      input: '',
      inputDetails: { included: false },
      output: null,
      outputDetails: { included: false },
    });
  });
});
