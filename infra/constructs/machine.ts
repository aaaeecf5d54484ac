/** One state machine from its file in statemachines/, with the functions that its states call. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { pascalCase } from '../functions.ts';
import { type MachineName, machineFile, machinePhysicalName } from '../machines.ts';
import { projectFile } from '../project.ts';

export interface MachineProps {
  readonly name: MachineName;
  /** Its step functions by slug. */
  readonly steps: ReadonlyMap<string, IFunction>;
}

export class Machine extends Construct {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, { name, steps }: MachineProps) {
    super(scope, id);
    const physicalName = machinePhysicalName(name);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: physicalName,
      definitionBody: DefinitionBody.fromFile(projectFile(machineFile(name))),
      definitionSubstitutions: Object.fromEntries(
        [...steps].map(([slug, step]) => [`${pascalCase(slug)}FunctionArn`, step.functionArn]),
      ),
      logs: {
        destination: new LogGroup(this, 'Logs', {
          // log groups under this prefix do not count against the size of the account's log resource policy
          logGroupName: `/aws/vendedlogs/states/${physicalName}`,
          retention: RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ALL,
        // task tokens travel in it
        includeExecutionData: false,
      },
      tracingEnabled: true,
    });
    for (const step of steps.values()) step.grantInvoke(this.machine);
  }
}
