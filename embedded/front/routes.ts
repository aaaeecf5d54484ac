import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AwsService } from './aws-wire.ts';

/** Which service a request is for. One port serves them all: X-Amz-Target tells them apart, as AWS's own clients send it. */

export interface FrontRoutes {
  readonly dynamo?: AwsService;
  readonly queues?: AwsService;
  readonly workflows?: AwsService;
  readonly events?: AwsService;
  readonly lambda?: AwsService;
  /** Everything else: the HTTP API. */
  readonly gateway: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

export type ServiceName = Exclude<keyof FrontRoutes, 'gateway'>;

const TARGETS: readonly (readonly [prefix: string, service: ServiceName])[] = [
  ['DynamoDB_20120810.', 'dynamo'],
  ['AmazonSQS.', 'queues'],
  ['AWSStepFunctions.', 'workflows'],
  ['AWSEvents.', 'events'],
];
const LAMBDA_PATH = '/2015-03-31/functions/';

/** Undefined: the request is not AWS-shaped and belongs to the gateway. */
export const serviceOf = ({ headers, url }: Pick<IncomingMessage, 'headers' | 'url'>): ServiceName | undefined => {
  const target = targetOf(headers);
  const byTarget = TARGETS.find(([prefix]) => target.startsWith(prefix));
  if (byTarget) return byTarget[1];
  return url?.startsWith(LAMBDA_PATH) ? 'lambda' : undefined;
};

export const targetOf = (headers: IncomingMessage['headers']): string => {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? target : '';
};
