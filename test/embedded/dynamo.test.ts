import { once } from 'node:events';
import { connect } from 'node:net';
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite/db/index.js';
import { describe, expect, it } from 'vitest';
import { startDynamo } from '../../embedded/dynamo/dynamo.ts';
import { clientOptions, rejection, startCloud, tempDir } from './cloud.ts';
import { startKillable } from './killable.ts';

const TableName = 'volmove';

const createTable = new CreateTableCommand({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'gsi1pk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'gsi1',
      KeySchema: [{ AttributeName: 'gsi1pk', KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
});

const key = { pk: { S: 'VOLUME#1' }, sk: { S: 'VOLUME' } };

describe('tables of the embedded cloud', () => {
  it('keep what a client wrote, on keys and in an index', async () => {
    const { dynamoClient } = await startCloud();
    await dynamoClient.send(createTable);

    await dynamoClient.send(
      new PutItemCommand({ TableName, Item: { ...key, gsi1pk: { S: 'available' }, size: { N: '3' } } }),
    );
    const item = await dynamoClient.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }));
    const found = await dynamoClient.send(
      new QueryCommand({
        TableName,
        IndexName: 'gsi1',
        KeyConditionExpression: 'gsi1pk = :status',
        ExpressionAttributeValues: { ':status': { S: 'available' } },
      }),
    );

    expect(item.Item?.size).toEqual({ N: '3' });
    expect(found.Items).toHaveLength(1);
  });

  it('refuse a write whose condition does not hold with the client’s own exception', async () => {
    const { dynamoClient } = await startCloud();
    await dynamoClient.send(createTable);

    const refused = await rejection(
      dynamoClient.send(
        new UpdateItemCommand({
          TableName,
          Key: key,
          UpdateExpression: 'SET fence = :next',
          ConditionExpression: 'fence = :seen',
          ExpressionAttributeValues: { ':next': { N: '2' }, ':seen': { N: '1' } },
        }),
      ),
    );

    expect(refused).toBeInstanceOf(ConditionalCheckFailedException);
  });

  it('let exactly one of twenty racing writers win', async () => {
    const { dynamoClient } = await startCloud();
    await dynamoClient.send(createTable);
    const claim = () =>
      dynamoClient.send(new PutItemCommand({ TableName, Item: key, ConditionExpression: 'attribute_not_exists(pk)' }));

    const results = await Promise.allSettled(Array.from({ length: 20 }, claim));

    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('say no to an operation they do not have, and to a body that is not JSON', async () => {
    const { dynamoClient, url } = await startCloud();

    const refused = await rejection(dynamoClient.send(new TransactWriteItemsCommand({ TransactItems: [] })));
    const malformed = await fetch(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem', authorization: 'AWS4-HMAC-SHA256 Credential=a' },
      body: '{',
    });

    expect(refused.name).toBe('UnknownOperationException');
    expect(malformed.status).toBe(400);
    expect(await malformed.json()).toMatchObject({ __type: 'SerializationException' });
  });

  it('outlive a caller that hangs up in the middle of a request', async () => {
    const { dynamoClient, url, errors } = await startCloud();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');

    socket.write(
      'POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.GetItem\r\n' +
        'authorization: AWS4-HMAC-SHA256 Credential=a\r\ncontent-length: 1000\r\n\r\n{"Tab',
    );
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await once(socket, 'close');
    const tables = await dynamoClient.send(new ListTablesCommand({}));

    expect(tables.TableNames).toEqual([]);
    expect(errors).toEqual([]);
  });
});

describe('tables in a directory', () => {
  it('are all there after the process was killed', async () => {
    const dir = await tempDir();
    const first = await startKillable(dir);
    const before = new DynamoDBClient(clientOptions(first.url));
    await before.send(createTable);
    await before.send(new PutItemCommand({ TableName, Item: { ...key, fence: { N: '7' } } }));

    await first.kill();
    const second = await startKillable(dir);
    const after = new DynamoDBClient(clientOptions(second.url));
    const item = await after.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }));

    expect(item.Item?.fence).toEqual({ N: '7' });
  });

  it('cannot be opened by two at once, and the error says what to do', async () => {
    const dir = await tempDir();
    const dynamo = await startDynamo({ dir });

    const refused = await rejection(startDynamo({ dir }));
    await dynamo.close();

    expect(refused.message).toContain(dir);
    expect(refused.message).toContain('choose another data directory');
  });

  it('can be used after a kill between the two writes of CreateTable', async () => {
    const dir = await tempDir();
    const torn = dynalite.create({ path: dir, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
    await torn.db.open();
    await torn.db.put('table~volmove', { TableName, TableStatus: 'CREATING', KeySchema: [], AttributeDefinitions: [] });
    await torn.lifecycleManager.gracefulClose();

    const { dynamoClient } = await startCloud({ dynamoDir: dir });
    const table = await dynamoClient.send(new DescribeTableCommand({ TableName }));

    expect(table.Table?.TableStatus).toBe('ACTIVE');
  });
});
