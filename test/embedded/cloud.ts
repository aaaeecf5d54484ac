import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { onTestFinished } from 'vitest';
import { type BusOptions, startBus } from '../../embedded/bus/bus.ts';
import type { DeliveryFailure } from '../../embedded/bus/courier.ts';
import { startDynamo } from '../../embedded/dynamo/dynamo.ts';
import { createFront, type FrontOptions } from '../../embedded/front/front.ts';
import { createGateway, type GatewayOptions } from '../../embedded/gateway/gateway.ts';
import type { FunctionError } from '../../embedded/lambda/function-error.ts';
import { lambdaRest } from '../../embedded/lambda/rest.ts';
import { createLambdaRuntime, type LambdaFunction } from '../../embedded/lambda/runtime.ts';
import { startQueues } from '../../embedded/queues/queues.ts';

/** The embedded cloud without the Step Functions engine, on a free port, with real SDK clients in front of it. */

export const account = { region: 'us-east-1', accountId: '000000000000' };

export interface CloudOptions {
  readonly functions?: Record<string, LambdaFunction>;
  readonly apiFunction?: LambdaFunction['handler'];
  readonly dynamoDir?: string;
  readonly bus?: Partial<BusOptions>;
  readonly gateway?: Partial<GatewayOptions>;
  readonly front?: Partial<FrontOptions>;
}

export const clientOptions = (url: string) => ({
  endpoint: url,
  region: account.region,
  credentials: { accessKeyId: 'embedded', secretAccessKey: 'embedded' },
  maxAttempts: 1,
});

export const startCloud = async (options: CloudOptions = {}) => {
  const errors: unknown[] = [];
  const functionErrors: FunctionError[] = [];
  const failures: DeliveryFailure[] = [];
  const onError = (error: unknown): void => {
    errors.push(error);
  };
  const apiFunction = options.apiFunction ?? ((event: unknown) => ({ statusCode: 200, body: JSON.stringify(event) }));
  const runtime = createLambdaRuntime({
    ...account,
    functions: { ...options.functions, api: { handler: apiFunction, timeoutMs: 5000 } },
    onFunctionError: (_invocation, error) => functionErrors.push(error),
  });
  const dynamo = await startDynamo(options.dynamoDir === undefined ? { memory: true } : { dir: options.dynamoDir });
  const queues = await startQueues(account);
  const bus = await startBus({
    ...account,
    invokeLambda: runtime.invokeOrThrow,
    sendMessage: queues.sendMessage,
    onDeliveryFailed: (failure) => failures.push(failure),
    onError,
    ...options.bus,
  });
  const gateway = createGateway({ ...account, runtime, functionName: 'api', ...options.gateway });
  const front = await createFront({
    host: '127.0.0.1',
    port: 0,
    routes: {
      dynamo: dynamo.service,
      queues: queues.service,
      events: bus.service,
      lambda: lambdaRest({ runtime, onError }),
      gateway,
    },
    onError,
    ...options.front,
  });
  const close = async (): Promise<void> => {
    await front.close();
    await bus.close();
    await queues.close();
    await dynamo.close();
  };
  onTestFinished(close);
  const config = clientOptions(front.url);
  return {
    url: front.url,
    bus,
    queues,
    errors,
    functionErrors,
    failures,
    close,
    dynamoClient: new DynamoDBClient(config),
    queueClient: new SQSClient({ ...config, useQueueUrlAsEndpoint: false }),
    eventsClient: new EventBridgeClient(config),
    lambdaClient: new LambdaClient(config),
  };
};

export const tempDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'volmove-embedded-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
};

/** Waits for what another task will make true; the test's own time-out bounds it. */
export const until = async <T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> => {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

export const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('It was expected to be rejected, and was not.');
    },
    (error: unknown) => error as Error,
  );

/** A port that is taken for the time of the test. */
export const takenPort = async (): Promise<number> => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
