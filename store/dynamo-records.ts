import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { updateOf } from './amend.ts';
import type { Key } from './keys.ts';
import type { IndexPosition, Records, Stored } from './records.ts';
import { JOB_INDEX, KIND_INDEX, OPEN_INDEX } from './table.ts';

/** Records on DynamoDB. Every write carries its condition; a failed condition is an answer, anything else an error. */
export const dynamoRecords = (client: DynamoDBClient, tableName: string): Records => {
  const table = {
    db: DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
    tableName,
  };
  return { ...reads(table), ...writes(table), ...hints(table) };
};

interface Table {
  readonly db: DynamoDBDocumentClient;
  readonly tableName: string;
}

const BATCH_GET_MAX = 100;

const stored = (item: Record<string, unknown>): Stored => item as unknown as Stored;
const keyOf = ({ pk, sk }: Key): Key => ({ pk, sk });

const conditional = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
};

const getBatch = async ({ db, tableName }: Table, keys: readonly Key[]): Promise<Stored[]> => {
  const found: Stored[] = [];
  let asked: Key[] = keys.map(keyOf);
  while (asked.length > 0) {
    const request = { RequestItems: { [tableName]: { Keys: asked, ConsistentRead: true } } };
    const answer = await db.send(new BatchGetCommand(request));
    found.push(...(answer.Responses?.[tableName] ?? []).map(stored));
    asked = (answer.UnprocessedKeys?.[tableName]?.Keys ?? []) as unknown as Key[];
  }
  return found;
};

const queryAll = async ({ db, tableName }: Table, input: Omit<QueryCommandInput, 'TableName'>): Promise<Stored[]> => {
  const found: Stored[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await db.send(new QueryCommand({ ...input, TableName: tableName, ExclusiveStartKey: from }));
    found.push(...(page.Items ?? []).map(stored));
    from = page.LastEvaluatedKey;
  } while (from);
  return found;
};

const reads = (table: Table): Pick<Records, 'get' | 'getMany' | 'query' | 'scan'> => ({
  async get(key) {
    const request = { TableName: table.tableName, Key: keyOf(key), ConsistentRead: true };
    const { Item } = await table.db.send(new GetCommand(request));
    return Item && stored(Item);
  },
  async getMany(asked) {
    // a batch that names an item twice is refused whole
    const keys = [...new Map(asked.map((key) => [`${key.pk} ${key.sk}`, key])).values()];
    const batches = Array.from({ length: Math.ceil(keys.length / BATCH_GET_MAX) }, (_, i) =>
      keys.slice(i * BATCH_GET_MAX, (i + 1) * BATCH_GET_MAX),
    );
    return (await Promise.all(batches.map((batch) => getBatch(table, batch)))).flat();
  },
  query: (pk, skPrefix) =>
    queryAll(table, {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': skPrefix },
      ConsistentRead: true,
    }),
  async *scan() {
    let from: Record<string, unknown> | undefined;
    do {
      const request = { TableName: table.tableName, ConsistentRead: true, ExclusiveStartKey: from };
      const page = await table.db.send(new ScanCommand(request));
      yield* (page.Items ?? []).map(stored);
      from = page.LastEvaluatedKey;
    } while (from);
  },
});

const atRev = (expectedRev: number) =>
  expectedRev === 0
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : { ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': expectedRev } };

const writes = ({ db, tableName }: Table): Pick<Records, 'put' | 'remove' | 'amend'> => ({
  put: (item, expectedRev) =>
    conditional(db.send(new PutCommand({ TableName: tableName, Item: { ...item }, ...atRev(expectedRev) }))),
  remove: (key, expectedRev) =>
    conditional(db.send(new DeleteCommand({ TableName: tableName, Key: keyOf(key), ...atRev(expectedRev) }))),
  amend: (key, by, writeId) =>
    conditional(db.send(new UpdateCommand({ TableName: tableName, Key: keyOf(key), ...updateOf(by, writeId) }))),
});

const hints = (table: Table): Pick<Records, 'keysOfKind' | 'openKeys' | 'openJobKeys'> => ({
  async keysOfKind(kind, { descending = false, limit, after }) {
    const page = await table.db.send(
      new QueryCommand({
        TableName: table.tableName,
        IndexName: KIND_INDEX,
        KeyConditionExpression: '#kind = :kind',
        ExpressionAttributeNames: { '#kind': 'kind' },
        ExpressionAttributeValues: { ':kind': kind },
        ScanIndexForward: !descending,
        ...(limit === undefined ? {} : { Limit: limit }),
        ...(after ? { ExclusiveStartKey: { pk: after.pk, sk: after.sk, kind, kindSort: after.kindSort } } : {}),
      }),
    );
    return {
      keys: (page.Items ?? []) as IndexPosition[],
      next: page.LastEvaluatedKey as IndexPosition | undefined,
    };
  },
  openKeys: (shard) =>
    queryAll(table, {
      IndexName: OPEN_INDEX,
      KeyConditionExpression: '#open = :open',
      ExpressionAttributeNames: { '#open': 'open' },
      ExpressionAttributeValues: { ':open': shard },
    }),
  openJobKeys: (pk) =>
    queryAll(table, {
      IndexName: JOB_INDEX,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
    }),
});
