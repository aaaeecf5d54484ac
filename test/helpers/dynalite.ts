import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { onTestFinished } from 'vitest';
import { startDynamo } from '../../embedded/dynamo/dynamo.ts';
import type { StorePlace } from '../../embedded/dynamo/open-store.ts';
import { listen } from '../../embedded/front/listen.ts';
import { dynamoRecords } from '../../store/dynamo-records.ts';
import type { Records } from '../../store/records.ts';
import { tableDefinition } from '../../store/table.ts';

/** The embedded DynamoDB on a loopback port of its own, with the real SDK client in front of it. */

export const TABLE = 'volmove-test';

export interface Dynalite {
  readonly url: string;
  readonly close: () => Promise<void>;
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

export const startDynalite = async (place: StorePlace = { memory: true }): Promise<Dynalite> => {
  const dynamo = await startDynamo(place);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const reply = await dynamo.service({
      target: String(request.headers['x-amz-target']),
      method: 'POST',
      url: '/',
      headers: request.headers,
      body: await bodyOf(request),
      signal: new AbortController().signal,
    });
    response.writeHead(reply.status, reply.headers).end(reply.body);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  const url = await listen(server, '127.0.0.1', 0);
  let closing: Promise<void> | undefined;
  const shut = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await dynamo.close();
  };
  const close = (): Promise<void> => {
    closing ??= shut();
    return closing;
  };
  onTestFinished(close);
  return { url, close };
};

export const sdkClient = (url: string): DynamoDBClient => {
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'embedded', secretAccessKey: 'embedded' },
    maxAttempts: 5,
  });
  onTestFinished(() => client.destroy());
  return client;
};

export const createTable = (url: string): Promise<unknown> =>
  sdkClient(url).send(new CreateTableCommand(tableDefinition(TABLE)));

/** Records on a fresh table. */
export const freshDynamoRecords = async (): Promise<Records> => {
  const { url } = await startDynalite();
  await createTable(url);
  return dynamoRecords(sdkClient(url), TABLE);
};
