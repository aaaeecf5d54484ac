import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { hostQueueName } from '../domain/names.ts';
import type { HostQueues } from '../domain/ports.ts';

/** The queue of one host. `create`: the embedded cloud's agents make their own (auto_register); on AWS it is made for them. */
export const queueUrlOf = async (client: SQSClient, hostId: string, create: boolean): Promise<string> => {
  const QueueName = hostQueueName(hostId);
  const answer = create
    ? await client.send(new CreateQueueCommand({ QueueName }))
    : await client.send(new GetQueueUrlCommand({ QueueName }));
  if (!answer.QueueUrl) throw new TypeError(`SQS gave no URL for queue ${QueueName}`);
  return answer.QueueUrl;
};

export const sqsHostQueues = (client: SQSClient): HostQueues => {
  const urls = new Map<string, string>();
  return {
    async look(hostId) {
      try {
        const url = urls.get(hostId) ?? (await queueUrlOf(client, hostId, false));
        urls.set(hostId, url);
        await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'look' }));
      } catch (error) {
        // the agent lists its jobs every 30 s anyway; a queue that is not there yet must not fail a dispatch
        if (!(error instanceof QueueDoesNotExist)) throw error;
        urls.delete(hostId);
      }
    },
  };
};
