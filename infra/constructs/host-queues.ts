/**
 * One queue a storage host, on which it is told to look at its jobs. A message says nothing and may be lost: agents look
 * from time to time anyway. The hosts are listed (context `volmove:hosts`), so that permissions name queues one by one.
 */
import { Duration } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { hostQueueName } from '../../domain/names.ts';

export interface HostQueuesProps {
  readonly hostIds: readonly string[];
}

export class HostQueues extends Construct {
  readonly queues: readonly Queue[];

  constructor(scope: Construct, id: string, { hostIds }: HostQueuesProps) {
    super(scope, id);
    this.queues = hostIds.map(
      (hostId) =>
        new Queue(this, hostId, {
          queueName: hostQueueName(hostId),
          // an agent that was away for longer looks at all of its jobs when it comes back
          retentionPeriod: Duration.minutes(5),
        }),
    );
  }

  grantWake(grantee: IGrantable): void {
    for (const queue of this.queues) queue.grantSendMessages(grantee);
  }
}
