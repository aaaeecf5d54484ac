/** What calls the two upkeep functions: the clock the sweeper, a badly ended execution the reconciler. */
import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface UpkeepProps {
  readonly sweep: IFunction;
  readonly reconcile: IFunction;
  readonly machineArns: readonly string[];
}

export class Upkeep extends Construct {
  constructor(scope: Construct, id: string, { sweep, reconcile, machineArns }: UpkeepProps) {
    super(scope, id);
    new Rule(this, 'EveryMinute', {
      description: 'Calls the sweeper',
      schedule: Schedule.rate(Duration.minutes(1)),
      // a pass that was not delivered in time is made up by the next
      targets: [new LambdaFunction(sweep, { retryAttempts: 0, maxEventAge: Duration.minutes(1) })],
    });
    new Rule(this, 'EndedBadly', {
      description: 'Calls the reconciler for executions that did not succeed',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'ABORTED', 'TIMED_OUT'], stateMachineArn: [...machineArns] },
      },
      targets: [new LambdaFunction(reconcile)],
    });
  }
}
