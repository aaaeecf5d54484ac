import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { GetExecutionHistoryCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsClient, queuesClient, statesClient } from '../../aws/clients.ts';
import { EVENT_SCHEMAS } from '../../scripts/event-schemas.ts';
import { type Rig, startRig, until } from './rig.ts';

type Type = keyof typeof EVENT_SCHEMAS;
interface Received {
  readonly 'detail-type': Type;
  readonly detail: { readonly event_type: string; readonly sequence: number; readonly migration_id: string };
}

describe('a subscriber of the event bus', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  afterAll(() => rig?.stop());

  const subscribe = async (pattern: object): Promise<() => Promise<Received[]>> => {
    const cloud = { region: 'us-east-1', endpoint: rig.url };
    const queues = queuesClient(cloud);
    const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: 'subscriber' }));
    const bus = eventsClient(cloud);
    await bus.send(new PutRuleCommand({ Name: 'all', EventBusName: 'volmove', EventPattern: JSON.stringify(pattern) }));
    const Arn = 'arn:aws:sqs:us-east-1:000000000000:subscriber';
    await bus.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'volmove', Targets: [{ Id: 'q', Arn }] }));
    const seen: Received[] = [];
    return async () => {
      const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      seen.push(...Messages.map((m) => JSON.parse(m.Body ?? '{}') as Received));
      return seen;
    };
  };

  it('hears one start, progress, one end and the cleanup of a migration, each as its schema says, in order by sequence', async () => {
    const receive = await subscribe({ source: ['volmove'], 'detail-type': [{ prefix: 'Volume Migration' }] });
    const id = await rig.create('alpha');
    await rig.fill(id, 32);

    const migration = await rig.migrate(id, 'beta', { bandwidth_bytes_per_second: 24 * 1024 * 1024 });
    await rig.ended(migration);
    const seen = await until('the cleanup is told', async () => {
      const now = await receive();
      return now.some((e) => e.detail.event_type === 'volume.migrate.cleanup') && now;
    });

    const inOrder = seen.toSorted((a, b) => a.detail.sequence - b.detail.sequence).map((e) => e.detail.event_type);
    for (const event of seen) expect(EVENT_SCHEMAS[event['detail-type']].safeParse(event.detail).error).toBeUndefined();
    expect(new Set(seen.map((e) => e.detail.migration_id))).toEqual(new Set([migration]));
    expect(inOrder.filter((type) => type === 'volume.migrate.start')).toHaveLength(1);
    expect(inOrder.filter((type) => type === 'volume.migrate.end')).toHaveLength(1);
    expect(inOrder.filter((type) => type === 'volume.migrate.progress').length).toBeGreaterThan(1);
    expect([inOrder[0], ...inOrder.slice(-2)]).toEqual([
      'volume.migrate.start',
      'volume.migrate.end',
      'volume.migrate.cleanup',
    ]);
  });

  it('finds the execution with the story as state names, in no more than 14 states', async () => {
    const states = statesClient({ region: 'us-east-1', endpoint: rig.url });
    const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:migrate-volume';
    const { executions = [] } = await states.send(new ListExecutionsCommand({ stateMachineArn }));

    const { events = [] } = await states.send(
      new GetExecutionHistoryCommand({ executionArn: executions[0]?.executionArn, maxResults: 1000 }),
    );

    const entered = events.flatMap((event) => event.stateEnteredEventDetails?.name ?? []);
    expect(entered).toEqual([
      'NotifyStarted',
      'Validate',
      'LockVolume',
      'WhichWay',
      'PrepareDestination',
      'CopyData',
      'VerifyData',
      'Finalize',
      'NotifyEnded',
      'RemoveSource',
      'RecordCleanup',
      'Migrated',
    ]);
  });
});
