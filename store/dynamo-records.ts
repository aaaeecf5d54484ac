import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import type { Key } from './keys.ts';
import type { IndexPosition, Records, Stored } from './records.ts';
import { KIND_INDEX, OPEN_INDEX } from './table.ts';

/** Records on DynamoDB. Every write carries its condition; a failed condition is an answer, anything else an error. */

const BATCH_GET_MAX = 100;

const conditional = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
};

const stored = (item: Record<string, unknown>): Stored => item as unknown as Stored;
const keyOf = ({ pk, sk }: Key): Key => ({ pk, sk });

export const dynamoRecords = (client: DynamoDBClient, tableName: string): Records => {
  const db = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

  const getPage = async (keys: readonly Key[]): Promise<Stored[]> => {
    const found: Stored[] = [];
    let asked: Key[] = keys.map(keyOf);
    while (asked.length > 0) {
      const answer = await db.send(
        new BatchGetCommand({ RequestItems: { [tableName]: { Keys: asked, ConsistentRead: true } } }),
      );
      found.push(...(answer.Responses?.[tableName] ?? []).map(stored));
      asked = (answer.UnprocessedKeys?.[tableName]?.Keys ?? []) as unknown as Key[];
    }
    return found;
  };

  const queryAll = async (
    input: Omit<ConstructorParameters<typeof QueryCommand>[0], 'TableName'>,
  ): Promise<Stored[]> => {
    const found: Stored[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await db.send(new QueryCommand({ ...input, TableName: tableName, ExclusiveStartKey: from }));
      found.push(...(page.Items ?? []).map(stored));
      from = page.LastEvaluatedKey;
    } while (from);
    return found;
  };

  return {
    async get(key) {
      const { Item } = await db.send(new GetCommand({ TableName: tableName, Key: keyOf(key), ConsistentRead: true }));
      return Item && stored(Item);
    },

    async getMany(keys) {
      const pages = Array.from({ length: Math.ceil(keys.length / BATCH_GET_MAX) }, (_, i) =>
        keys.slice(i * BATCH_GET_MAX, (i + 1) * BATCH_GET_MAX),
      );
      return (await Promise.all(pages.map(getPage))).flat();
    },

    put(item, expectedRev) {
      const condition =
        expectedRev === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : { ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': expectedRev } };
      return conditional(db.send(new PutCommand({ TableName: tableName, Item: { ...item }, ...condition })));
    },

    remove(key, expectedRev) {
      return conditional(
        db.send(
          new DeleteCommand({
            TableName: tableName,
            Key: keyOf(key),
            ConditionExpression: 'rev = :rev',
            ExpressionAttributeValues: { ':rev': expectedRev },
          }),
        ),
      );
    },

    query: (pk, skPrefix) =>
      queryAll({
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': pk, ':prefix': skPrefix },
        ConsistentRead: true,
      }),

    async keysOfKind(kind, { descending = false, limit, after }) {
      const page = await db.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: KIND_INDEX,
          KeyConditionExpression: '#kind = :kind',
          ExpressionAttributeNames: { '#kind': 'kind' },
          ExpressionAttributeValues: { ':kind': kind },
          ScanIndexForward: !descending,
          ...(limit === undefined ? {} : { Limit: limit }),
          ...(after ? { ExclusiveStartKey: { pk: after.pk, sk: after.sk, kind, kindSort: after.kindSort } } : {}),
        }),
      );
      return { keys: (page.Items ?? []) as IndexPosition[], next: page.LastEvaluatedKey as IndexPosition | undefined };
    },

    openKeys: (shard) =>
      queryAll({
        IndexName: OPEN_INDEX,
        KeyConditionExpression: '#open = :open',
        ExpressionAttributeNames: { '#open': 'open' },
        ExpressionAttributeValues: { ':open': shard },
      }),

    async *scan() {
      let from: Record<string, unknown> | undefined;
      do {
        const page = await db.send(
          new ScanCommand({ TableName: tableName, ConsistentRead: true, ExclusiveStartKey: from }),
        );
        yield* (page.Items ?? []).map(stored);
        from = page.LastEvaluatedKey;
      } while (from);
    },
  };
};
