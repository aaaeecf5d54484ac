import { describe, expect, it } from 'vitest';
import { DISPATCH, machine, only } from './definitions.ts';
import { createWorld, FunctionError, type World, type WorldOptions } from './world.ts';

async function waiting(state: object = DISPATCH, options: Partial<WorldOptions> = {}): Promise<World> {
  const world = await createWorld({ machines: { main: only(state) }, ...options });
  await world.start();
  return world;
}

const succeed = (world: World, token: string, output: unknown = 'done') =>
  world.call('SendTaskSuccess', { taskToken: token, output: JSON.stringify(output) });

describe('a task that waits for its token', () => {
  it('waits after the call was answered, and succeeds with the output of SendTaskSuccess', async () => {
    const world = await waiting({ ...DISPATCH, Output: '{% $states.result.host %}' });
    const before = await world.describe('run');

    await succeed(world, world.token(), { host: 'a' });

    expect(before.status).toBe('RUNNING');
    expect(await world.describe('run')).toMatchObject({ status: 'SUCCEEDED', output: '"a"' });
  });

  it('fails with error and cause of SendTaskFailure', async () => {
    const world = await waiting();

    await world.call('SendTaskFailure', { taskToken: world.token(), error: 'NoSpace', cause: 'pool is full' });

    expect(await world.describe('run')).toMatchObject({ status: 'FAILED', error: 'NoSpace', cause: 'pool is full' });
  });

  it('catches a failure without a name by the wildcards, with null for what is not known', async () => {
    const definition = machine({
      Dispatch: { ...DISPATCH, Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'Show' }], End: true },
      Show: { Type: 'Succeed' },
    });
    const world = await createWorld({ machines: { main: definition } });
    await world.start();

    await world.call('SendTaskFailure', { taskToken: world.token() });
    await world.quiet();

    expect(await world.describe('run')).toMatchObject({ output: '{"Error":null,"Cause":null}' });
  });

  it('fails when the call itself fails, and its token is void then', async () => {
    const world = await waiting(DISPATCH, {
      lambda: () => {
        throw new FunctionError('HostUnknown');
      },
    });

    expect(await world.describe('run')).toMatchObject({ status: 'FAILED', error: 'HostUnknown' });
    await expect(succeed(world, world.token())).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('may get its answer before the call has returned', async () => {
    const call = Promise.withResolvers<unknown>();
    const world = await waiting(DISPATCH, { lambda: () => call.promise });

    await succeed(world, world.token(), 'early');
    call.resolve({});
    await world.quiet();

    expect(await world.describe('run')).toMatchObject({ status: 'SUCCEEDED', output: '"early"' });
    expect(world.faults).toEqual([]);
  });

  it('ends with States.Timeout when nobody answers', async () => {
    const world = await createWorld({ machines: { main: only({ ...DISPATCH, TimeoutSeconds: 60 }) } });

    const { status, error } = await world.run();

    expect({ status, error }).toEqual({ status: 'FAILED', error: 'States.Timeout' });
    await expect(succeed(world, world.token())).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('refuses the second answer', async () => {
    const world = await waiting();
    await succeed(world, world.token());

    await expect(succeed(world, world.token())).rejects.toMatchObject({ code: 'TaskTimedOut' });
    const failure = world.call('SendTaskFailure', { taskToken: world.token() });
    await expect(failure).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('has a new token after a Retry; the one before is not valid any more', async () => {
    const world = await createWorld({
      machines: { main: only({ ...DISPATCH, TimeoutSeconds: 60, Retry: [{ ErrorEquals: ['States.ALL'] }] }) },
    });
    await world.start();
    await world.pass(61_000);
    const [first, second] = [world.token(0), world.token(1)];

    expect(first).not.toBe(second);
    await expect(succeed(world, first)).rejects.toMatchObject({ code: 'TaskTimedOut' });
    await succeed(world, second);
    expect((await world.describe('run')).status).toBe('SUCCEEDED');
  });

  it('answers heartbeats while it waits, and no longer', async () => {
    const world = await waiting();
    const taskToken = world.token();

    expect(await world.call('SendTaskHeartbeat', { taskToken })).toEqual({});
    await succeed(world, taskToken);
    await expect(world.call('SendTaskHeartbeat', { taskToken })).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('stays as it is when the output is no JSON or too large', async () => {
    const world = await waiting();
    const taskToken = world.token();

    const noJson = world.call('SendTaskSuccess', { taskToken, output: '{' });
    const tooLarge = world.call('SendTaskSuccess', { taskToken, output: JSON.stringify('x'.repeat(262_144)) });

    await expect(noJson).rejects.toMatchObject({ code: 'InvalidOutput' });
    await expect(tooLarge).rejects.toMatchObject({ code: 'InvalidOutput' });
    expect((await world.describe('run')).status).toBe('RUNNING');
  });
});

describe('a token that is none', () => {
  it.each(['nonsense', 'a.b.c', 'WyJtYWluIl0.x', 'bm8ganNvbg.x'])('is InvalidToken: %s', async (taskToken) => {
    const world = await waiting();

    await expect(world.call('SendTaskHeartbeat', { taskToken })).rejects.toMatchObject({ code: 'InvalidToken' });
  });

  it('is TaskDoesNotExist when it names an execution that never was', async () => {
    const world = await waiting();
    const taskToken = `${Buffer.from('["main","other"]').toString('base64url')}.x`;

    await expect(world.call('SendTaskHeartbeat', { taskToken })).rejects.toMatchObject({ code: 'TaskDoesNotExist' });
  });

  it('is TaskTimedOut when only the random part is wrong', async () => {
    const world = await waiting();
    const taskToken = `${world.token()}x`;

    await expect(world.call('SendTaskHeartbeat', { taskToken })).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });
});
