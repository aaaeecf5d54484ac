import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DISPATCH, machine, only, WORK } from './definitions.ts';
import { createFakeClock } from './fake-clock.ts';
import { createWorld, FunctionError, type World } from './world.ts';

const never = () => new Promise<never>(() => undefined);
const journalOf = (world: World, name = 'run') => join(world.directory, 'main', `${name}.jsonl`);

const goodOrBad = machine({
  Which: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.ok %}', Next: 'Good' }], Default: 'Bad' },
  Good: { Type: 'Succeed' },
  Bad: { Type: 'Fail', Error: 'E', Cause: 'C' },
});

describe('an execution after a restart', () => {
  it('still waits for its token, which is still valid', async () => {
    const world = await createWorld({ machines: { main: only({ ...DISPATCH, Output: '{% $states.result %}' }) } });
    await world.start();

    const second = await world.restart();
    await second.quiet();
    await second.call('SendTaskSuccess', { taskToken: world.token(), output: '"late"' });

    expect(second.invocations).toEqual([]);
    expect(await second.describe('run')).toMatchObject({ status: 'SUCCEEDED', output: '"late"' });
  });

  it('makes a call that was not answered again, with the same arguments, token and EnteredTime', async () => {
    const payload = { token: '{% $states.context.Task.Token %}', entered: '{% $states.context.State.EnteredTime %}' };
    const state = { ...DISPATCH, Arguments: { FunctionName: 'dispatch', Payload: payload } };
    const world = await createWorld({ machines: { main: only(state) }, lambda: never });
    await world.start();

    const second = await world.restart({ lambda: () => undefined, clock: createFakeClock(world.clock.nowMs() + 5000) });
    await second.quiet();
    await second.call('SendTaskSuccess', { taskToken: world.token(), output: '1' });

    expect(second.invocations).toEqual(world.invocations);
    expect((await second.describe('run')).status).toBe('SUCCEEDED');
  });

  it('times out at the time it would have without the restart, or at once when that has passed', async () => {
    const world = await createWorld({ machines: { main: only({ ...DISPATCH, TimeoutSeconds: 60 }) } });
    await world.start({}, 'a');
    await world.pass(20_000);

    const second = await world.restart();
    await second.pass(39_999);
    const before = await second.describe('a');
    const third = await second.restart({ clock: createFakeClock(second.clock.nowMs() + 1) });
    await third.pass(0);

    expect(before.status).toBe('RUNNING');
    expect(await third.describe('a')).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
  });

  it('sleeps and waits for its retry as long as was left, and has not forgotten its attempts', async () => {
    const definition = machine({
      Sleep: { Type: 'Wait', Seconds: 10, Next: 'Work' },
      Work: {
        ...WORK,
        Retry: [{ ErrorEquals: ['Own'], IntervalSeconds: 10, BackoffRate: 1, MaxAttempts: 1 }],
        End: true,
      },
    });
    const lambda = () => {
      throw new FunctionError('Own');
    };
    const world = await createWorld({ machines: { main: definition }, lambda });
    await world.start();
    await world.pass(4000);

    const second = await world.restart();
    await second.pass(8000);
    const third = await second.restart();
    await third.pass(8000);

    expect([second.invocations.length, third.invocations.length]).toEqual([1, 1]);
    expect(await third.describe('run')).toMatchObject({
      status: 'FAILED',
      error: 'Own',
      stopDate: Date.UTC(2030, 0, 1) / 1000 + 20,
    });
  });

  it('times out as a whole when its machine says so', async () => {
    const world = await createWorld({ machines: { main: only(DISPATCH, { TimeoutSeconds: 60 }) } });
    await world.start();
    await world.pass(59_000);

    const second = await world.restart();
    await second.pass(1000);

    expect((await second.describe('run')).status).toBe('TIMED_OUT');
  });

  it('goes on with the iterations of a Map that are left', async () => {
    const Call = {
      ...WORK,
      Arguments: { FunctionName: 'work', Payload: '{% $states.input %}' },
      Output: '{% $states.result.Payload %}',
      End: true,
    };
    const definition = only({
      Type: 'Map',
      Items: [1, 2, 3],
      MaxConcurrency: 2,
      ItemProcessor: { StartAt: 'Call', States: { Call } },
    });
    const world = await createWorld({
      machines: { main: definition },
      lambda: (_, payload: number) => (payload === 1 ? 10 : never()),
    });
    await world.start();

    const second = await world.restart({ lambda: (_, payload: number) => payload * 10 });
    await second.quiet();

    expect(second.invocations.map(({ payload }) => payload)).toEqual([2, 3]);
    expect((await second.describe('run')).output).toBe('[10,20,30]');
  });

  it('keeps the definition it began with, while new executions take the new one', async () => {
    const before = machine({
      Sleep: { Type: 'Wait', Seconds: 5, Next: 'End' },
      End: { Type: 'Succeed', Output: 'before' },
    });
    const after = machine({ Renamed: { Type: 'Succeed', Output: 'after' } });
    const world = await createWorld({ machines: { main: before } });
    await world.start({}, 'old');

    const second = await world.restart({ machines: { main: after } });
    const { output } = await second.run({}, 'new');
    await second.pass(5000);

    expect(output).toBe('"after"');
    expect((await second.describe('old')).output).toBe('"before"');
  });

  it('runs to its end even when its machine is not loaded any more', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Wait', Seconds: 5 }) } });
    await world.start();

    const second = await world.restart({ machines: { another: only({ Type: 'Succeed' }) } });
    await second.pass(5000);

    expect(second.statusChanges).toMatchObject([{ name: 'run', status: 'SUCCEEDED' }]);
    const start = second.call('StartExecution', {
      stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:main',
    });
    await expect(start).rejects.toMatchObject({ code: 'StateMachineDoesNotExist' });
  });
});

describe('an execution that ended before a restart', () => {
  it('is described, listed and told of as before, and keeps its name', async () => {
    const world = await createWorld({ machines: { main: goodOrBad } });
    await world.run({ ok: true }, 'good');
    await world.run({ ok: false }, 'bad');
    const list = (some: World) =>
      some.call('ListExecutions', { stateMachineArn: 'arn:aws:states:us-east-1:000000000000:stateMachine:main' });

    const second = await world.restart();

    for (const name of ['good', 'bad']) {
      expect(await second.describe(name)).toEqual(await world.describe(name));
      expect(await second.history(name)).toEqual(await world.history(name));
    }
    expect(await list(second)).toEqual(await list(world));
    await expect(second.start({ ok: true }, 'good')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    expect(second.statusChanges).toEqual([]);
  });

  it('makes a late answer to one of its tokens TaskTimedOut', async () => {
    const world = await createWorld({ machines: { main: only(DISPATCH) } });
    await world.start();
    const answer = { taskToken: world.token(), output: '1' };
    await world.call('SendTaskSuccess', answer);

    const second = await world.restart();

    await expect(second.call('SendTaskSuccess', answer)).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('is forgotten after 90 days, and its name is free again', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    await world.run();
    const day = 24 * 3600 * 1000;

    const early = await world.restart({ clock: createFakeClock(world.clock.nowMs() + 90 * day) });
    const kept = await early.describe('run');
    const late = await early.restart({ clock: createFakeClock(world.clock.nowMs() + 90 * day + 1) });

    expect(kept.status).toBe('SUCCEEDED');
    await expect(late.describe('run')).rejects.toMatchObject({ code: 'ExecutionDoesNotExist' });
    expect((await late.run()).status).toBe('SUCCEEDED');
  });
});

describe('a name after a restart', () => {
  it('is idempotent for the running execution', async () => {
    const world = await createWorld({ machines: { main: only(DISPATCH) } });
    await world.start({ a: 1 });

    const second = await world.restart();
    await second.start({ a: 1 });

    expect(second.invocations).toEqual([]);
    await expect(second.start({ a: 2 })).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
  });
});

describe('a journal', () => {
  it('has every line before anyone can see its effect', async () => {
    const seen: string[] = [];
    const world = await createWorld({
      machines: { main: only(WORK) },
      lambda: () => seen.push(readFileSync(journalOf(world), 'utf8')),
    });
    await world.run();

    expect(seen).toEqual([expect.stringContaining('"TaskStarted"')]);
  });

  it('that ends within a line goes on from the line before', async () => {
    const world = await createWorld({ machines: { main: only(DISPATCH) } });
    await world.start();
    appendFileSync(journalOf(world), '{"transition":{"events":[{"id":6');

    const second = await world.restart();
    await second.call('SendTaskSuccess', { taskToken: world.token(), output: '1' });
    await second.quiet();

    expect((await second.history('run')).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('that ends within its first line never was: its name is free', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    await world.run();
    truncateSync(journalOf(world), 50);

    const second = await world.restart();

    await expect(second.describe('run')).rejects.toMatchObject({ code: 'ExecutionDoesNotExist' });
    expect((await second.run()).status).toBe('SUCCEEDED');
  });

  it('without its summary is given one, so that it is read only once', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    const ended = await world.run();
    const text = readFileSync(journalOf(world), 'utf8');
    writeFileSync(journalOf(world), text.slice(0, text.indexOf('{"ended"')));

    const second = await world.restart();

    expect(await second.describe('run')).toEqual(ended);
    expect(readFileSync(journalOf(world), 'utf8')).toBe(text);
  });

  it('that was damaged before its end is not passed over: the start says which file', async () => {
    const world = await createWorld({ machines: { main: only(DISPATCH) } });
    await world.start();
    const lines = readFileSync(journalOf(world), 'utf8').split('\n');
    writeFileSync(journalOf(world), [lines[0], 'damage', ...lines.slice(2)].join('\n'));

    await expect(world.restart()).rejects.toThrow(journalOf(world));
  });

  it('that cannot be written stops the start, and leaves nothing behind', async () => {
    const world = await createWorld({ machines: { main: only({ Type: 'Succeed' }) } });
    mkdirSync(journalOf(world));

    await expect(world.start()).rejects.toThrow('cannot be written');
    rmSync(journalOf(world), { recursive: true });
    expect((await world.run()).status).toBe('SUCCEEDED');
  });

  it('that cannot be written any more halts its execution, which says so and goes on after the next start', async () => {
    const answer = Promise.withResolvers<number>();
    const world = await createWorld({ machines: { main: only(WORK) }, lambda: () => answer.promise });
    await world.start();
    const text = readFileSync(journalOf(world));
    rmSync(journalOf(world));
    mkdirSync(journalOf(world));

    answer.resolve(1);
    await world.quiet();
    rmSync(journalOf(world), { recursive: true });
    writeFileSync(journalOf(world), text);
    const second = await world.restart({ lambda: () => 2 });
    await second.quiet();

    expect(world.faults.map(({ message }) => message)).toEqual([expect.stringContaining('execution:main:run')]);
    expect((await second.describe('run')).status).toBe('SUCCEEDED');
  });
});

describe('closing', () => {
  it('aborts the signal of calls, and nothing is written after it', async () => {
    let signal: AbortSignal | undefined;
    const answer = Promise.withResolvers<void>();
    const world = await createWorld({
      machines: { main: only({ ...WORK, TimeoutSeconds: 5 }) },
      lambda: (_, __, given) => {
        signal = given;
        return answer.promise;
      },
    });
    await world.start();
    const before = readFileSync(journalOf(world), 'utf8');

    await world.engine.close();
    answer.reject(new Error('aborted'));
    await world.quiet();

    expect(signal?.aborted).toBe(true);
    expect(world.clock.pending).toBe(0);
    expect(readFileSync(journalOf(world), 'utf8')).toBe(before);
    expect(world.faults).toEqual([]);
  });
});
