import { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetQueueUrlCommand, QueueDoesNotExist, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { stepFunctionsExecutions } from '../../aws/executions.ts';
import { sqsHostQueues } from '../../aws/host-queues.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, aMigration, MIGRATION_ID, SOURCE } from '../helpers/factories.ts';
import { createWorld, withHosts } from './world.ts';

const ARNS = { 'migrate-volume': 'arn:aws:states:::stateMachine:m', 'volume-job': 'arn:aws:states:::stateMachine:v' };
const METADATA = { $metadata: {}, message: 'as it is' };

describe('through the adapters of AWS', () => {
  it('a create starts the execution with exactly the input that the state machine takes', async () => {
    const states = mockClient(SFNClient).on(StartExecutionCommand).resolves({});
    const world = createWorld(undefined, { executions: stepFunctionsExecutions(new SFNClient({}), ARNS) });
    await withHosts(world);

    const { body } = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1 } } });

    const { id } = body.volume;
    expect(states.commandCalls(StartExecutionCommand).map((call) => call.args[0].input)).toEqual([
      {
        stateMachineArn: ARNS['volume-job'],
        name: `${id}-1`,
        input: JSON.stringify({ volumeId: id, operation: 1 }),
      },
    ]);
  });

  it('an execution that was started before is no error', async () => {
    mockClient(SFNClient).on(StartExecutionCommand).rejects(new ExecutionAlreadyExists(METADATA));
    const world = createWorld(undefined, { executions: stepFunctionsExecutions(new SFNClient({}), ARNS) });
    await withHosts(world);

    const answer = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1 } } });

    expect(answer.status).toBe(202);
  });

  it('an engine that cannot be reached is an error without its text', async () => {
    mockClient(SFNClient).on(StartExecutionCommand).rejects(new Error('secret host refused'));
    const world = createWorld(undefined, { executions: stepFunctionsExecutions(new SFNClient({}), ARNS) });
    await withHosts(world);

    const answer = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1 } } });

    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({
      computeFault: {
        code: 500,
        message: 'The server has either erred or is incapable of performing the requested operation.',
      },
    });
    expect(world.reported).toMatchObject([{ message: 'secret host refused' }]);
  });

  it.each<[string, boolean]>([
    ['reaches the host’s own queue', true],
    ['does not need the queue to be there', false],
  ])('a cancel %s', async (_, there) => {
    const queues = mockClient(SQSClient);
    if (there)
      queues.on(GetQueueUrlCommand).resolves({ QueueUrl: 'https://queue' }).on(SendMessageCommand).resolves({});
    else queues.on(GetQueueUrlCommand).rejects(new QueueDoesNotExist(METADATA));
    const world = createWorld(undefined, { queues: sqsHostQueues(new SQSClient({})) });
    const ref = { hostId: SOURCE.hostId, jobId: `${MIGRATION_ID}.1.data.copy`, kind: 'data.copy', run: 1 } as const;
    const stage = { state: 'running', phase: 'copying', phaseSinceMs: START_MS } as const;
    await world.store.migrations.create(aMigration({ jobs: [ref], stage }));
    await world.store.jobs.create(aJob({ stage: { state: 'running', incarnation: 'i', sinceMs: START_MS } }));

    const answer = await world.ask('POST', `/v3/migrations/${MIGRATION_ID}/action`, { body: { cancel: {} } });

    expect(answer.status).toBe(202);
    expect(queues.commandCalls(GetQueueUrlCommand)[0]?.args[0].input).toEqual({ QueueName: 'volmove-host-host-a' });
    expect(queues.commandCalls(SendMessageCommand)).toHaveLength(there ? 1 : 0);
  });
});
