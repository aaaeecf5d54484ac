import { describe, expect, it } from 'vitest';
import { DISPATCH, machine, only, WORK } from './definitions.ts';
import { createWorld, type Event, FunctionError } from './world.ts';

/** The types of events with their chains, such as `3<-2 TaskScheduled`. */
const chain = (events: Event[]) => events.map(({ id, previousEventId, type }) => `${id}<-${previousEventId} ${type}`);

describe('the history of an execution', () => {
  it('has the events and details of a task and of states that pass', async () => {
    const definition = machine({
      First: { Type: 'Pass', Assign: { x: { y: 1 } }, Next: 'Work' },
      Work: { ...WORK, TimeoutSeconds: 9, Output: 'done', Next: 'End' },
      End: { Type: 'Succeed' },
    });
    const world = await createWorld({ machines: { main: definition }, lambda: () => 5 });
    await world.run({ a: 1 });

    const events = await world.history('run');

    const untruncated = { truncated: false };
    const resource = { resourceType: 'lambda', resource: 'invoke' };
    const result = '{"ExecutedVersion":"$LATEST","Payload":5,"StatusCode":200}';
    const timestamp = Date.UTC(2030, 0, 1) / 1000;
    expect(events).toEqual([
      {
        id: 1,
        previousEventId: 0,
        timestamp,
        type: 'ExecutionStarted',
        executionStartedEventDetails: {
          input: '{"a":1}',
          inputDetails: untruncated,
          roleArn: 'arn:aws:iam::000000000000:role/main',
        },
      },
      {
        id: 2,
        previousEventId: 0,
        timestamp,
        type: 'PassStateEntered',
        stateEnteredEventDetails: { name: 'First', input: '{"a":1}', inputDetails: untruncated },
      },
      {
        id: 3,
        previousEventId: 2,
        timestamp,
        type: 'PassStateExited',
        stateExitedEventDetails: {
          name: 'First',
          output: '{"a":1}',
          outputDetails: untruncated,
          assignedVariables: { x: '{"y":1}' },
          assignedVariablesDetails: untruncated,
        },
      },
      {
        id: 4,
        previousEventId: 3,
        timestamp,
        type: 'TaskStateEntered',
        stateEnteredEventDetails: { name: 'Work', input: '{"a":1}', inputDetails: untruncated },
      },
      {
        id: 5,
        previousEventId: 4,
        timestamp,
        type: 'TaskScheduled',
        taskScheduledEventDetails: {
          ...resource,
          region: 'us-east-1',
          parameters: '{"FunctionName":"work","Payload":{}}',
          timeoutInSeconds: 9,
        },
      },
      { id: 6, previousEventId: 5, timestamp, type: 'TaskStarted', taskStartedEventDetails: resource },
      {
        id: 7,
        previousEventId: 6,
        timestamp,
        type: 'TaskSucceeded',
        taskSucceededEventDetails: { ...resource, output: result, outputDetails: untruncated },
      },
      {
        id: 8,
        previousEventId: 7,
        timestamp,
        type: 'TaskStateExited',
        stateExitedEventDetails: { name: 'Work', output: '"done"', outputDetails: untruncated },
      },
      {
        id: 9,
        previousEventId: 8,
        timestamp,
        type: 'SucceedStateEntered',
        stateEnteredEventDetails: { name: 'End', input: '"done"', inputDetails: untruncated },
      },
      {
        id: 10,
        previousEventId: 9,
        timestamp,
        type: 'SucceedStateExited',
        stateExitedEventDetails: { name: 'End', output: '"done"', outputDetails: untruncated },
      },
      {
        id: 11,
        previousEventId: 10,
        timestamp,
        type: 'ExecutionSucceeded',
        executionSucceededEventDetails: { output: '"done"', outputDetails: untruncated },
      },
    ]);
  });

  it('shows retries as further attempts within one visit, and a caught error as an exit', async () => {
    const definition = machine({
      Work: {
        ...WORK,
        Retry: [{ ErrorEquals: ['Own'], MaxAttempts: 1 }],
        Catch: [{ ErrorEquals: ['Own'], Next: 'Stop' }],
        End: true,
      },
      Stop: { Type: 'Fail', Error: 'Gave up' },
    });
    const world = await createWorld({
      machines: { main: definition },
      lambda: () => {
        throw new FunctionError('Own');
      },
    });
    await world.run();

    const events = await world.history('run');

    expect(chain(events)).toEqual([
      '1<-0 ExecutionStarted',
      '2<-0 TaskStateEntered',
      '3<-2 TaskScheduled',
      '4<-3 TaskStarted',
      '5<-4 TaskFailed',
      '6<-5 TaskScheduled',
      '7<-6 TaskStarted',
      '8<-7 TaskFailed',
      '9<-8 TaskStateExited',
      '10<-9 FailStateEntered',
      '11<-10 ExecutionFailed',
    ]);
    expect(events.at(-1)?.executionFailedEventDetails).toEqual({ error: 'Gave up' });
    expect(events[6]?.timestamp).toBe((events[4]?.timestamp ?? 0) + 1);
  });

  it('shows a task that waits for its token as submitted, then as timed out', async () => {
    const world = await createWorld({ machines: { main: only({ ...DISPATCH, TimeoutSeconds: 5 }) } });
    await world.run();

    const events = await world.history('run');

    const resource = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
    expect(chain(events).slice(2)).toEqual([
      '3<-2 TaskScheduled',
      '4<-3 TaskStarted',
      '5<-4 TaskSubmitted',
      '6<-5 TaskTimedOut',
      '7<-6 ExecutionFailed',
    ]);
    expect(events[4]?.taskSubmittedEventDetails).toMatchObject(resource);
    expect(events[5]?.taskTimedOutEventDetails).toEqual({ ...resource, error: 'States.Timeout' });
  });

  it('shows where an evaluation failed', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Pass', Output: { a: '{% $x %}' } }) } });
    await world.run();

    const [, , failed, ended] = await world.history('run');

    expect(failed).toMatchObject({
      type: 'EvaluationFailed',
      evaluationFailedEventDetails: { state: 'Only', location: 'Output/a', error: 'States.QueryEvaluationError' },
    });
    expect(ended?.type).toBe('ExecutionFailed');
  });

  it('shows the iterations of a Map state, each with a chain of its own', async () => {
    const definition = only({
      Type: 'Map',
      Items: [1, 2],
      ItemProcessor: { StartAt: 'In', States: { In: { Type: 'Pass', End: true } } },
    });
    const world = await createWorld({ machines: { main: definition } });
    await world.run();

    const events = await world.history('run');

    expect(chain(events)).toEqual([
      '1<-0 ExecutionStarted',
      '2<-0 MapStateEntered',
      '3<-2 MapStateStarted',
      '4<-3 MapIterationStarted',
      '5<-4 PassStateEntered',
      '6<-3 MapIterationStarted',
      '7<-6 PassStateEntered',
      '8<-5 PassStateExited',
      '9<-8 MapIterationSucceeded',
      '10<-7 PassStateExited',
      '11<-10 MapIterationSucceeded',
      '12<-11 MapStateSucceeded',
      '13<-12 MapStateExited',
      '14<-13 ExecutionSucceeded',
    ]);
    expect(events[2]?.mapStateStartedEventDetails).toEqual({ length: 2 });
    expect(events[5]?.mapIterationStartedEventDetails).toEqual({ name: 'Only', index: 1 });
  });

  it('shows what a failed iteration takes with it', async () => {
    const states = {
      In: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 2 %}', Next: 'Bad' }], Default: 'Sleep' },
      Bad: { Type: 'Fail', Error: 'Bad' },
      Sleep: { Type: 'Wait', Seconds: 9, End: true },
    };
    const definition = only({ Type: 'Map', Items: [1, 2], ItemProcessor: { StartAt: 'In', States: states } });
    const world = await createWorld({ machines: { main: definition } });
    await world.run();

    const types = (await world.history('run')).map(({ type }) => type);

    expect(types.slice(-6)).toEqual([
      'FailStateEntered',
      'MapIterationFailed',
      'WaitStateAborted',
      'MapIterationAborted',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
  });

  it('ends with States.Runtime at 25,000 events instead of growing for ever', async () => {
    const definition = machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } });
    const world = await createWorld({ machines: { main: definition } });

    const { status, error, cause } = await world.run();

    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Runtime' });
    expect(cause).toContain('25000');
  });
});

describe('GetExecutionHistory', () => {
  const executionArn = 'arn:aws:states:us-east-1:000000000000:execution:main:run';

  async function ran() {
    const world = await createWorld({
      machines: { main: machine({ A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Succeed' } }) },
    });
    await world.run({ secret: 1 });
    const get = (input: object) => world.call('GetExecutionHistory', { executionArn, ...input });
    return { world, get };
  }

  it.each([false, true])('gives pages, in reverse order: %s', async (reverseOrder) => {
    const { get } = await ran();
    const ids: number[] = [];
    let nextToken: unknown;
    do {
      const page = await get({ maxResults: 2, reverseOrder, nextToken });
      ids.push(...(page.events as Event[]).map(({ id }) => id));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);

    const expected = [1, 2, 3, 4, 5, 6];
    expect(ids).toEqual(reverseOrder ? expected.toReversed() : expected);
  });

  it('leaves out the data when asked to', async () => {
    const { get } = await ran();

    const { events } = await get({ includeExecutionData: false });

    expect(JSON.stringify(events)).not.toContain('secret');
    expect((events as Event[])[1]?.stateEnteredEventDetails).toEqual({ name: 'A', inputDetails: { truncated: false } });
  });

  it('refuses a token of another list', async () => {
    const { get } = await ran();

    await expect(get({ nextToken: 'x' })).rejects.toMatchObject({ code: 'InvalidToken' });
    await expect(get({ nextToken: Buffer.from('{"a":1}').toString('base64url') })).rejects.toMatchObject({
      code: 'InvalidToken',
    });
  });

  it('shows an execution that is still running so far', async () => {
    const world = await createWorld({ machines: { main: only(DISPATCH) } });
    await world.start();

    expect((await world.history('run')).at(-1)?.type).toBe('TaskSubmitted');
  });
});
