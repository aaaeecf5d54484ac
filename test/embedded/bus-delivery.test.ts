import {
  CreateEventBusCommand,
  DisableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge';
import { CreateQueueCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type CloudOptions, clientOptions, rejection, startCloud, tempDir, until } from './cloud.ts';
import { startKillable } from './killable.ts';

const queueArn = 'arn:aws:sqs:us-east-1:000000000000:audit';
const lambdaArn = 'arn:aws:lambda:us-east-1:000000000000:function:listener';
const EventPattern = JSON.stringify({ source: ['volmove'] });

const entry = (detail: object, more: object = {}) => ({
  Source: 'volmove',
  DetailType: 'Volume Migration Ended',
  Detail: JSON.stringify(detail),
  ...more,
});

const send = (client: EventBridgeClient, ...details: object[]) =>
  client.send(new PutEventsCommand({ Entries: details.map((detail) => entry(detail)) }));

const rule = async (client: EventBridgeClient, ...Targets: Target[]): Promise<void> => {
  await client.send(new PutRuleCommand({ Name: 'r', EventPattern }));
  await client.send(new PutTargetsCommand({ Rule: 'r', Targets }));
};

const receiveOne = async (client: SQSClient, name = 'audit'): Promise<unknown> => {
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name }));
  const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  return JSON.parse(Messages?.[0]?.Body ?? 'null');
};

/** A cloud whose function `listener` fails as often as told, and whose pauses are over at once. */
const cloudWithListener = async (failures = 0, options: CloudOptions = {}) => {
  const heard: unknown[] = [];
  const pausesMs: number[] = [];
  let left = failures;
  const cloud = await startCloud({
    functions: {
      listener: {
        timeoutMs: 5000,
        handler: (event: unknown) => {
          left -= 1;
          if (left >= 0) throw new Error('not now');
          heard.push(event);
        },
      },
    },
    ...options,
    bus: {
      sleep: (ms) => {
        pausesMs.push(ms);
        return Promise.resolve();
      },
      random: () => 0,
      ...options.bus,
    },
  });
  return { ...cloud, heard, pausesMs };
};

describe('an event', () => {
  it('reaches a queue in the form of EventBridge', async () => {
    const { eventsClient, queueClient } = await startCloud();
    await queueClient.send(new CreateQueueCommand({ QueueName: 'audit' }));
    await rule(eventsClient, { Id: 'q', Arn: queueArn });

    const put = await eventsClient.send(
      new PutEventsCommand({
        Entries: [entry({ result: 'success' }, { Resources: ['arn:v'], Time: new Date('2026-11-24T10:11:12.900Z') })],
      }),
    );
    const message = await receiveOne(queueClient);

    expect(put.FailedEntryCount).toBe(0);
    expect(message).toEqual({
      version: '0',
      id: put.Entries?.[0]?.EventId,
      'detail-type': 'Volume Migration Ended',
      source: 'volmove',
      account: '000000000000',
      time: '2026-11-24T10:11:12Z',
      region: 'us-east-1',
      resources: ['arn:v'],
      detail: { result: 'success' },
    });
  });

  it('reaches a function, or a part of it does, or a text in its place', async () => {
    const { eventsClient, heard } = await cloudWithListener();
    await rule(
      eventsClient,
      { Id: 'a', Arn: lambdaArn, InputPath: '$.detail.volume' },
      { Id: 'b', Arn: lambdaArn, Input: '{"fixed":true}' },
      { Id: 'c', Arn: lambdaArn, InputPath: '$.detail.nothing.there' },
    );

    await send(eventsClient, { volume: { id: 'v1' } });
    await until(() => heard.length === 3);

    expect(heard).toContainEqual({ id: 'v1' });
    expect(heard).toContainEqual({ fixed: true });
  });

  it('reaches only the rules it matches that are enabled and on its bus', async () => {
    const { eventsClient, heard, bus } = await cloudWithListener();
    await eventsClient.send(new CreateEventBusCommand({ Name: 'ours' }));
    const put = async (name: string, more: object) => {
      await eventsClient.send(new PutRuleCommand({ Name: name, EventPattern, ...more }));
      const Targets = [{ Id: 'f', Arn: lambdaArn, Input: JSON.stringify(name) }];
      await eventsClient.send(new PutTargetsCommand({ Rule: name, Targets, ...more }));
    };
    await put('disabled', {});
    await put('other-bus', { EventBusName: 'ours' });
    await put('matching', {});
    await eventsClient.send(new DisableRuleCommand({ Name: 'disabled' }));

    await send(eventsClient, { n: 1 });
    await until(() => bus.counts().pending === 0);

    expect(heard).toEqual(['matching']);
  });

  it('is tried again with growing pauses until its target takes it', async () => {
    const { eventsClient, heard, pausesMs, failures } = await cloudWithListener(3);
    await rule(eventsClient, { Id: 'f', Arn: lambdaArn });

    await send(eventsClient, { n: 1 });
    await until(() => heard.length === 1);

    expect(pausesMs).toEqual([100, 200, 400]);
    expect(failures).toEqual([]);
  });

  it('is handed over as failed, and to the dead letters, when its target never takes it', async () => {
    const { eventsClient, queueClient, bus, failures } = await cloudWithListener(Number.POSITIVE_INFINITY);
    await queueClient.send(new CreateQueueCommand({ QueueName: 'dead' }));
    await rule(eventsClient, {
      Id: 'f',
      Arn: lambdaArn,
      RetryPolicy: { MaximumRetryAttempts: 2 },
      DeadLetterConfig: { Arn: 'arn:aws:sqs:us-east-1:000000000000:dead' },
    });

    await send(eventsClient, { n: 1 });
    const dead = await receiveOne(queueClient, 'dead');
    await until(() => bus.counts().pending === 0);

    expect(dead).toMatchObject({ detail: { n: 1 } });
    expect(failures).toMatchObject([{ ruleName: 'r', tries: 3, event: { detail: { n: 1 } } }]);
    expect(String(failures[0]?.error)).toContain('not now');
    expect(bus.counts()).toMatchObject({ accepted: 1, delivered: 0, failed: 1 });
  });

  it('does not wait behind others whose target hangs', async () => {
    const { eventsClient, heard } = await cloudWithListener(0, {
      bus: { sendMessage: () => new Promise(() => undefined) },
    });
    await rule(eventsClient, { Id: 'q', Arn: queueArn }, { Id: 'f', Arn: lambdaArn });

    await send(eventsClient, { n: 1 }, { n: 2 });
    await until(() => heard.length === 2);

    expect(heard).toMatchObject([{ detail: { n: 1 } }, { detail: { n: 2 } }]);
  });
});

describe('PutEvents', () => {
  it('accepts the good entries and says of each bad one what is wrong with it', async () => {
    const { eventsClient } = await startCloud();
    const Entries = [
      entry({}),
      entry({}, { Source: undefined }),
      entry({}, { DetailType: undefined }),
      entry({}, { Detail: undefined }),
      entry({}, { Detail: '[1]' }),
      entry({}, { Source: 'aws.states' }),
      entry({}, { EventBusName: 'nobody' }),
    ];

    const put = await eventsClient.send(new PutEventsCommand({ Entries }));

    expect(put.FailedEntryCount).toBe(6);
    expect(put.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'ResourceNotFoundException',
    ]);
  });

  it('refuses more than 10 entries, more than 256 KiB, and none', async () => {
    const { eventsClient } = await startCloud();
    const put = (Entries: object[]) => rejection(eventsClient.send(new PutEventsCommand({ Entries })));

    const refused = [
      await put(Array.from({ length: 11 }, () => entry({}))),
      await put([entry({ text: 'x'.repeat(200_000) }), entry({ text: 'x'.repeat(70_000) })]),
      await put([]),
    ];

    expect(refused.map(({ name }) => name)).toEqual(Array.from({ length: 3 }, () => 'ValidationException'));
    expect(refused[1]?.message).toContain('over the limit');
  });

  it('lets the services of the cloud itself use their own sources', async () => {
    const { bus } = await startCloud();

    const reply = await bus.publish([entry({ status: 'FAILED' }, { Source: 'aws.states' })]);

    expect(reply.FailedEntryCount).toBe(0);
  });

  it('tells listeners in the process of every event while they listen, whatever one of them throws', async () => {
    const { eventsClient, bus, errors } = await startCloud();
    const heard: string[] = [];
    bus.subscribe(() => {
      throw new Error('deaf');
    });
    const end = bus.subscribe(({ detail }, busName) => heard.push(`${busName} ${JSON.stringify(detail)}`));

    await send(eventsClient, { n: 1 });
    end();
    await send(eventsClient, { n: 2 });

    expect(heard).toEqual(['default {"n":1}']);
    expect(errors.map(String)).toEqual(['Error: deaf', 'Error: deaf']);
  });
});

describe('accepted events', () => {
  it('are delivered after a restart when they were not before', async () => {
    const dir = await tempDir();
    const before = await startCloud({ bus: { dir, sendMessage: () => Promise.reject(new Error('down')) } });
    await rule(before.eventsClient, { Id: 'q', Arn: queueArn });
    await send(before.eventsClient, { n: 1 });
    await before.close();
    const sent: string[] = [];

    const after = await startCloud({ bus: { dir, sendMessage: async (_queue, body) => sent.push(body) } });
    await until(() => sent.length === 1 && after.bus.counts().pending === 0);
    await after.close();
    const third = await startCloud({ bus: { dir, sendMessage: async (_queue, body) => sent.push(body) } });

    expect(JSON.parse(sent[0] ?? '')).toMatchObject({ detail: { n: 1 } });
    expect(third.bus.counts().pending).toBe(0);
    expect(sent).toHaveLength(1);
  });

  it('are delivered after the process was killed', async () => {
    const dir = await tempDir();
    const first = await startKillable(dir);
    const client = new EventBridgeClient(clientOptions(first.url));
    await rule(client, { Id: 'q', Arn: queueArn });
    await Promise.all(Array.from({ length: 20 }, (_, n) => send(client, { n })));
    await first.kill();
    const sent: string[] = [];

    await startCloud({ bus: { dir: `${dir}/bus`, sendMessage: async (_queue, body) => sent.push(body) } });
    await until(() => sent.length === 20);
    const numbers = sent.map((body) => (JSON.parse(body) as { detail: { n: number } }).detail.n);

    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });
});
