import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ExecutionAlreadyExists,
  GetExecutionHistoryCommand,
  InvalidToken,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  paginateGetExecutionHistory,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
  StopExecutionCommand,
  TaskTimedOut,
} from '@aws-sdk/client-sfn';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Engine } from '../../embedded/engine/engine.ts';
import { DISPATCH, only } from './definitions.ts';
import { createWorld, type World } from './world.ts';

const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:main';

function serve(engine: Engine): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = async () => {
      const target = String(request.headers['x-amz-target']);
      const { status, body } = await engine.handle(target, JSON.parse(await text(request)));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
    };
    answer().catch((error: Error) => response.destroy(error));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

async function connected(): Promise<{ world: World; client: SFNClient }> {
  const world = await createWorld({ machines: { main: only(DISPATCH) } });
  const server = await serve(world.engine);
  const client = new SFNClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  return { world, client };
}

describe('the AWS SDK', () => {
  it('starts, describes, lists and follows an execution, and completes its task', async () => {
    const { world, client } = await connected();
    const start = new StartExecutionCommand({ stateMachineArn, name: 'run', input: '{"a":1}' });

    const started = await client.send(start);
    await world.quiet();
    const { executionArn } = started;
    const token = world.token();
    await client.send(new SendTaskHeartbeatCommand({ taskToken: token }));
    await client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{"b":2}' }));
    const described = await client.send(new DescribeExecutionCommand({ executionArn }));
    const { executions } = await client.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'SUCCEEDED' }));

    expect(started.startDate).toEqual(new Date(Date.UTC(2030, 0, 1)));
    expect(described).toMatchObject({
      status: 'SUCCEEDED',
      input: '{"a":1}',
      output: '{"b":2}',
      stopDate: expect.any(Date),
    });
    expect(executions).toMatchObject([{ executionArn, name: 'run', startDate: started.startDate }]);
  });

  it('reads the history, whole and in pages', async () => {
    const { world, client } = await connected();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, name: 'run' }));
    await world.quiet();

    const { events = [] } = await client.send(new GetExecutionHistoryCommand({ executionArn }));
    const pages: unknown[] = [];
    for await (const page of paginateGetExecutionHistory({ client, pageSize: 2 }, { executionArn })) {
      pages.push(...(page.events ?? []));
    }

    expect(events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
    ]);
    expect(events[0]?.timestamp).toEqual(new Date(Date.UTC(2030, 0, 1)));
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({ resourceType: 'lambda', region: 'us-east-1' });
    expect(pages).toEqual(events);
  });

  it('throws the exceptions of the service model', async () => {
    const { world, client } = await connected();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, name: 'run' }));
    await world.quiet();
    const token = world.token();
    const failure = new SendTaskFailureCommand({ taskToken: token, error: 'E', cause: 'C' });
    await client.send(failure);

    expect(await client.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'FAILED',
      error: 'E',
      cause: 'C',
    });
    await expect(client.send(failure)).rejects.toBeInstanceOf(TaskTimedOut);
    await expect(client.send(new SendTaskHeartbeatCommand({ taskToken: 'x' }))).rejects.toBeInstanceOf(InvalidToken);
    await expect(client.send(new StartExecutionCommand({ stateMachineArn, name: 'run' }))).rejects.toBeInstanceOf(
      ExecutionAlreadyExists,
    );
    const unknown = new DescribeStateMachineCommand({ stateMachineArn: `${stateMachineArn}x` });
    await expect(client.send(unknown)).rejects.toBeInstanceOf(StateMachineDoesNotExist);
  });

  it('stops executions and shows machines', async () => {
    const { world, client } = await connected();
    const { executionArn } = await client.send(new StartExecutionCommand({ stateMachineArn, name: 'run' }));
    await world.quiet();

    const { stopDate } = await client.send(new StopExecutionCommand({ executionArn, error: 'E', cause: 'C' }));
    const described = await client.send(new DescribeStateMachineCommand({ stateMachineArn }));
    const { stateMachines } = await client.send(new ListStateMachinesCommand({}));

    expect(stopDate).toEqual(new Date(Date.UTC(2030, 0, 1)));
    expect(described).toMatchObject({
      name: 'main',
      status: 'ACTIVE',
      type: 'STANDARD',
      creationDate: expect.any(Date),
    });
    expect(stateMachines).toMatchObject([{ stateMachineArn, name: 'main' }]);
  });
});
