import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

/**
 * The one table. `pk`/`sk` name an item; `kind`/`kindSort` list things of one kind, newest last; `open`/`openSort` list what
 * the sweeper still has to look after; `pk`/`openJob` list the jobs of a host that have not ended, in the host's own partition, so
 * consistently: an agent looks there all the time, and must not read what has ended long since. No index key changes with progress
 * or time, and all carry keys alone: what they say is a hint, the items are read again consistently.
 */
export const KIND_INDEX = 'by-kind';
export const OPEN_INDEX = 'open';
export const JOB_INDEX = 'open-jobs';

/** The open index is spread over this many partitions, so that starting and ending migrations never heat a single one. */
export const OPEN_SHARDS = 4;

export const tableDefinition = (tableName: string): CreateTableCommandInput => ({
  TableName: tableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: ['pk', 'sk', 'kind', 'kindSort', 'open', 'openSort', 'openJob'].map((name) => ({
    AttributeName: name,
    AttributeType: 'S',
  })),
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  LocalSecondaryIndexes: [
    { IndexName: JOB_INDEX, KeySchema: keys('pk', 'openJob'), Projection: { ProjectionType: 'KEYS_ONLY' } },
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
