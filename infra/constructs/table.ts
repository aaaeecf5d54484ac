/** The one table. store/table.ts defines it for the embedded cloud; a test holds the two equal. It outlives the stack. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, ProjectionType, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

const key = (name: string) => ({ name, type: AttributeType.STRING });

const index = (indexName: string, partition: string, sort: string) => ({
  indexName,
  partitionKey: key(partition),
  sortKey: key(sort),
  projectionType: ProjectionType.KEYS_ONLY,
});

/** What store/ sends: reads, and conditional writes of one item. */
const RECORD_ACTIONS = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'].map(
  (a) => `dynamodb:${a}`,
);

export class VolumeTable extends Construct {
  readonly table: TableV2;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.table = new TableV2(this, 'Table', {
      partitionKey: key('pk'),
      sortKey: key('sk'),
      billing: Billing.onDemand(),
      localSecondaryIndexes: [
        { indexName: 'open-jobs', sortKey: key('openJob'), projectionType: ProjectionType.KEYS_ONLY },
      ],
      globalSecondaryIndexes: [index('by-kind', 'kind', 'kindSort'), index('open', 'open', 'openSort')],
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: 'ttl',
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  grantRecords(grantee: IGrantable): void {
    this.table.grants.actions(grantee, ...RECORD_ACTIONS);
  }

  grantScan(grantee: IGrantable): void {
    this.table.grants.actions(grantee, 'dynamodb:Scan');
  }
}
