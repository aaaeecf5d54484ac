import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/**
 * The one table. `pk`/`sk` name an item; `kind`/`kindSort` list things of one kind, newest last; `open`/`openSort` list what
 * the sweeper still has to look after. No index key changes with progress or time, and both indexes carry keys alone: what
 * they say is a hint, the items are read again consistently.
 */
export const KIND_INDEX = 'by-kind';
export const OPEN_INDEX = 'open';

/** The open index is spread over this many partitions, so that starting and ending migrations never heat a single one. */
export const OPEN_SHARDS = 4;

export const tableDefinition = (tableName: string): CreateTableCommandInput => ({
  TableName: tableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'kind', 'kindSort', 'open', 'openSort'].map((name) => ({
    AttributeName: name,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    { IndexName: KIND_INDEX, KeySchema: keys('kind', 'kindSort'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    { IndexName: OPEN_INDEX, KeySchema: keys('open', 'openSort'), Projection: { ProjectionType: 'KEYS_ONLY' } },
  ],
});

function keys(hash: string, range: string): { AttributeName: string; KeyType: 'HASH' | 'RANGE' }[] {
  return [
    { AttributeName: hash, KeyType: 'HASH' },
    { AttributeName: range, KeyType: 'RANGE' },
  ];
}
