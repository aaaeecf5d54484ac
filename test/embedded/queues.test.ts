import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { clientOptions, rejection, startCloud } from './cloud.ts';

const newQueue = async (client: SQSClient, attributes: Record<string, string> = {}): Promise<string> => {
  const made = await client.send(new CreateQueueCommand({ QueueName: 'host-a', Attributes: attributes }));
  if (!made.QueueUrl) throw new Error('The queue got no URL.');
  return made.QueueUrl;
};

describe('queues of the embedded cloud', () => {
  it('give a message to a waiting receiver, and keep no message that was deleted', async () => {
    const { queueClient } = await startCloud();
    const QueueUrl = await newQueue(queueClient);

    const waiting = queueClient.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await queueClient.send(new SendMessageCommand({ QueueUrl, MessageBody: 'look' }));
    const [message] = (await waiting).Messages ?? [];
    await queueClient.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
    const empty = await queueClient.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));

    expect(message?.Body).toBe('look');
    expect(empty.Messages).toBeUndefined();
  });

  it('end a long poll with nothing when nothing comes', async () => {
    const { queueClient } = await startCloud();
    const QueueUrl = await newQueue(queueClient);

    const answer = await queueClient.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));

    expect(answer.$metadata.httpStatusCode).toBe(200);
    expect(answer.Messages).toBeUndefined();
  });

  it('have URLs under the address the client used, so that a client without special settings works too', async () => {
    const { url } = await startCloud();
    const client = new SQSClient(clientOptions(url));
    const QueueUrl = await newQueue(client);

    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'look' }));
    const received = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    const asked = await client.send(new GetQueueUrlCommand({ QueueName: 'host-a' }));
    const listed = await client.send(new ListQueuesCommand({}));

    expect(QueueUrl).toBe(`${url}/000000000000/host-a`);
    expect(asked.QueueUrl).toBe(QueueUrl);
    expect(listed.QueueUrls).toEqual([QueueUrl]);
    expect(received.Messages?.[0]?.Body).toBe('look');
  });

  it('do not lose a message to a receiver that went away', async () => {
    const { queueClient } = await startCloud();
    const QueueUrl = await newQueue(queueClient, { VisibilityTimeout: '3600' });
    const gone = new AbortController();
    const dead = rejection(
      queueClient.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: gone.signal }),
    );
    // the poll is under way before the caller leaves
    await queueClient.send(new ListQueuesCommand({}));

    gone.abort();
    await dead;
    await queueClient.send(new SendMessageCommand({ QueueUrl, MessageBody: 'look' }));
    const received = await queueClient.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));

    expect(received.Messages?.[0]?.Body).toBe('look');
  });

  it('wake a waiting receiver when a message becomes visible again', async () => {
    const { queueClient } = await startCloud();
    const QueueUrl = await newQueue(queueClient);
    await queueClient.send(new SendMessageCommand({ QueueUrl, MessageBody: 'look' }));
    const [taken] = (await queueClient.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? [];

    const waiting = queueClient.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await queueClient.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: taken?.ReceiptHandle, VisibilityTimeout: 0 }),
    );

    expect((await waiting).Messages?.[0]?.MessageId).toBe(taken?.MessageId);
  });

  it('say that a queue does not exist with the client’s own exception', async () => {
    const { queueClient, queues } = await startCloud();

    const asked = await rejection(queueClient.send(new GetQueueUrlCommand({ QueueName: 'nobody' })));
    const sent = await rejection(queues.sendMessage('nobody', 'look'));

    expect(asked).toBeInstanceOf(QueueDoesNotExist);
    expect(sent.name).toBe('QueueDoesNotExist');
    expect(sent.message).toContain('nobody');
  });

  it('end their long polls when the cloud closes', async () => {
    const { queueClient, close } = await startCloud();
    const QueueUrl = await newQueue(queueClient);
    const waiting = queueClient.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await queueClient.send(new ListQueuesCommand({}));

    await close();

    expect((await waiting).Messages).toBeUndefined();
  });
});
