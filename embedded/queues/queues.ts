import { AwsError, type AwsService, jsonReply, parseJson } from '../front/aws-wire.ts';
import { type FauxqsApp, type SqsReply, startFauxqsApp } from './fauxqs-app.ts';
import { receive } from './long-poll.ts';
import { internalUrl, withLocalUrls } from './queue-urls.ts';

/** SQS: the service behind the front, and the short way in for event targets. */

export interface Queues {
  readonly service: AwsService;
  /** Rejects with AwsError `QueueDoesNotExist` when there is no such queue. */
  readonly sendMessage: (queueName: string, body: string) => Promise<void>;
  close(): Promise<void>;
}

export interface QueuesOptions {
  readonly region: string;
  readonly nowMs?: () => number;
}

export const startQueues = async ({ region, nowMs = Date.now }: QueuesOptions): Promise<Queues> => {
  const app = await startFauxqsApp(region);
  return {
    async service({ target, headers, body, signal }) {
      const operation = target.slice(target.indexOf('.') + 1);
      const asked = parseObject(body);
      const reply =
        operation === 'ReceiveMessage'
          ? await receive(app, asked, signal, nowMs)
          : await app.call(operation, asked, headers.authorization);
      const rendered = jsonReply('1.0', reply.status, withLocalUrls(reply.body, headers.host ?? '127.0.0.1'));
      if (reply.queryError === undefined) return rendered;
      return { ...rendered, headers: { ...rendered.headers, 'x-amzn-query-error': reply.queryError } };
    },
    sendMessage: (queueName, body) => send(app, queueName, body),
    close: () => app.close(),
  };
};

const send = async (app: FauxqsApp, queueName: string, body: string): Promise<void> => {
  const reply = await app.call('SendMessage', { QueueUrl: internalUrl(queueName), MessageBody: body });
  if (reply.status !== 200) throw refusalOf(reply, queueName);
};

const refusalOf = ({ status, body }: SqsReply, queueName: string): AwsError => {
  const { __type = 'InternalFailure', message = '' } = body as { __type?: string; message?: string };
  return new AwsError(__type.slice(__type.indexOf('#') + 1), `Queue ${queueName}: ${message}`, { status });
};

const parseObject = (body: Buffer): object => {
  const parsed = parseJson(body);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new AwsError('SerializationException', 'The request body is not a JSON object.');
};
