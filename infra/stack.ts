/** The whole system as one stack: what exists, and who may do what. Details are in constructs/. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { VolumeBus } from './constructs/bus.ts';
import { HandlerFunction } from './constructs/function.ts';
import { HostQueues } from './constructs/host-queues.ts';
import { VolumeApi } from './constructs/http-api.ts';
import { Machine } from './constructs/machine.ts';
import { VolumeTable } from './constructs/table.ts';
import { Upkeep } from './constructs/upkeep.ts';
import { functionEnvironment } from './environment.ts';
import { type FunctionDefinition, functions, pascalCase } from './functions.ts';
import { type MachineName, machineNames, machinePhysicalName } from './machines.ts';

export interface VolmoveStackProps extends StackProps {
  /** The storage hosts that get a queue, by host id. */
  readonly hostIds: readonly string[];
}

type Machines = Readonly<Record<MachineName, IStateMachine>>;

export class VolmoveStack extends Stack {
  constructor(scope: Construct, id: string, { hostIds, ...props }: VolmoveStackProps) {
    super(scope, id, props);
    const table = new VolumeTable(this, 'VolumeTable');
    const bus = new VolumeBus(this, 'VolumeBus');
    const queues = new HostQueues(this, 'HostQueues', { hostIds });
    const named = this.machinesByName();
    const machineArns = {
      'migrate-volume': named['migrate-volume'].stateMachineArn,
      'volume-job': named['volume-job'].stateMachineArn,
    };

    const environment = functionEnvironment({
      tableName: table.table.tableName,
      busName: bus.bus.eventBusName,
      machineArns,
    });
    const made = new Map<string, IFunction>();
    for (const definition of functions) {
      const { function: fn } = new HandlerFunction(this, pascalCase(definition.name), { definition, environment });
      this.permit(fn, definition, { table, bus, queues, named });
      made.set(definition.name, fn);
    }

    for (const name of machineNames) {
      const own = functions.filter((f) => f.stepOf === name).map((f) => [f.name, find(made, f.name)] as const);
      new Machine(this, pascalCase(name), { name, steps: new Map(own) });
    }
    const api = new VolumeApi(this, 'VolumeApi', { handler: find(made, 'api') });
    new Upkeep(this, 'Upkeep', {
      sweep: find(made, 'sweep'),
      reconcile: find(made, 'reconcile'),
      machineArns: Object.values(machineArns),
    });

    new CfnOutput(this, 'ApiUrl', { value: api.api.apiEndpoint });
    new CfnOutput(this, 'TableName', { value: table.table.tableName });
    new CfnOutput(this, 'BusName', { value: bus.bus.eventBusName });
  }

  /** The machines as the functions know them: by name, since a reference to the real ones would close a circle. */
  private machinesByName(): Machines {
    const byName = (name: MachineName): IStateMachine =>
      StateMachine.fromStateMachineName(this, `${pascalCase(name)}ByName`, machinePhysicalName(name));
    return { 'migrate-volume': byName('migrate-volume'), 'volume-job': byName('volume-job') };
  }

  private permit(
    fn: IFunction,
    definition: FunctionDefinition,
    { table, bus, queues, named }: { table: VolumeTable; bus: VolumeBus; queues: HostQueues; named: Machines },
  ): void {
    table.grantRecords(fn);
    if (definition.scansTable) table.grantScan(fn);
    if (definition.tellsEvents) bus.bus.grantPutEventsTo(fn);
    if (definition.wakesHosts) queues.grantWake(fn);
    for (const name of definition.answersTasksOf ?? []) named[name].grantTaskResponse(fn);
    for (const name of definition.startsRunsOf ?? []) {
      named[name].grantStartExecution(fn);
      named[name].grantExecution(fn, 'states:DescribeExecution');
    }
  }
}

const find = (made: ReadonlyMap<string, IFunction>, name: string): IFunction => {
  const fn = made.get(name);
  if (!fn) throw new RangeError(`The stack needs the function "${name}"; add it to infra/functions.ts.`);
  return fn;
};
