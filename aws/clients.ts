import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * SDK clients for one region, or for one endpoint that serves all of them (the embedded cloud). With an endpoint the
 * credentials are a fixed pair that only that endpoint takes, so no real account can be reached by mistake.
 */
export interface CloudConfig {
  readonly region: string;
  /** `http://127.0.0.1:PORT` of an embedded cloud; undefined: AWS. */
  readonly endpoint?: string;
}

export const clientOptions = ({ region, endpoint }: CloudConfig) => ({
  region,
  maxAttempts: 5,
  ...(endpoint === undefined
    ? {}
    : { endpoint, credentials: { accessKeyId: 'embedded', secretAccessKey: 'embedded' } }),
});

export const dynamoClient = (cloud: CloudConfig): DynamoDBClient => new DynamoDBClient(clientOptions(cloud));
export const eventsClient = (cloud: CloudConfig): EventBridgeClient => new EventBridgeClient(clientOptions(cloud));
export const statesClient = (cloud: CloudConfig): SFNClient => new SFNClient(clientOptions(cloud));
export const queuesClient = (cloud: CloudConfig): SQSClient =>
  new SQSClient({ ...clientOptions(cloud), ...(cloud.endpoint === undefined ? {} : { useQueueUrlAsEndpoint: false }) });
