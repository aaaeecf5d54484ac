import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { eventsClient, queuesClient } from '../../../aws/clients.ts';
import { EVENT_SCHEMAS } from '../../../scripts/event-schemas.ts';
import type { MigrationBody } from '../../system/rig.ts';
import { eventually } from './eventually.ts';

/** A subscriber of the cloud's event bus, who writes down all that it is told. */
export interface Recorder {
  /** Of that migration, up to now, each once. */
  of(migrationId: string): Promise<readonly Told[]>;
}

export interface Told {
  readonly 'detail-type': keyof typeof EVENT_SCHEMAS;
  readonly detail: Readonly<Record<string, unknown>> & { readonly event_type: string; readonly migration_id: string };
}

const QUEUE = 'scenario';

/** What is told again, because nobody knew whether it had been heard, has the same number and the same words. */
const withoutRepeats = (told: readonly Told[]): Told[] => {
  const once: Told[] = [];
  for (const event of told) {
    const { event_type: type, sequence } = event.detail;
    const before = once.find(({ detail }) => detail.event_type === type && detail.sequence === sequence);
    if (before) expect(event.detail).toEqual(before.detail);
    else once.push(event);
  }
  return once;
};

export const recordEvents = async (url: string): Promise<Recorder> => {
  const cloud = { region: 'us-east-1', endpoint: url };
  const [queues, bus] = [queuesClient(cloud), eventsClient(cloud)];
  const { QueueUrl } = await queues.send(new CreateQueueCommand({ QueueName: QUEUE }));
  const EventPattern = JSON.stringify({ source: ['volmove'], 'detail-type': [{ prefix: 'Volume Migration' }] });
  await bus.send(new PutRuleCommand({ Name: QUEUE, EventBusName: 'volmove', EventPattern }));
  const Targets = [{ Id: QUEUE, Arn: `arn:aws:sqs:us-east-1:000000000000:${QUEUE}` }];
  await bus.send(new PutTargetsCommand({ Rule: QUEUE, EventBusName: 'volmove', Targets }));

  const told: Told[] = [];
  const drain = async (): Promise<void> => {
    for (;;) {
      const { Messages = [] } = await queues.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return;
      told.push(...Messages.map(({ Body = '{}' }) => JSON.parse(Body) as Told));
      const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle }));
      await queues.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  return {
    async of(migrationId) {
      const drained = turn.then(drain);
      turn = drained.catch(() => undefined);
      await drained;
      return withoutRepeats(told.filter(({ detail }) => detail.migration_id === migrationId));
    },
  };
};

export interface Story {
  readonly volume: string;
  readonly from: string;
  readonly to: string;
  readonly locked: boolean;
  readonly phase: 'copying' | 'moving';
}

/** One start, progress, and one end that says the same as the migration; each as its schema wants it. */
export const expectTold = async (recorder: Recorder, ended: MigrationBody, story: Story): Promise<void> => {
  const isEnd = ({ detail }: Told): boolean => detail.event_type === 'volume.migrate.end';
  const told = await eventually(
    `the end of ${ended.id} is told`,
    () => recorder.of(ended.id),
    (now) => now.some(isEnd) && now,
  );
  const ofType = (type: string) => told.map(({ detail }) => detail).filter(({ event_type: one }) => one === type);
  for (const event of told) expect(EVENT_SCHEMAS[event['detail-type']].safeParse(event.detail).error).toBeUndefined();
  const moved = { volume_id: story.volume, source_host: story.from, destination_host: story.to, locked: story.locked };
  const succeeded = ended.state === 'succeeded';
  expect(ofType('volume.migrate.start')).toEqual([expect.objectContaining(moved)]);
  expect(ofType('volume.migrate.progress').map(({ phase }) => phase)).toContain(story.phase);
  expect(ofType('volume.migrate.end')).toEqual([
    expect.objectContaining({
      ...moved,
      result: succeeded ? 'success' : 'error',
      host: succeeded ? story.to : story.from,
      reason: ended.reason,
      digest: ended.digests?.destination ?? null,
    }),
  ]);
};
