import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Executions, Machine } from '../domain/ports.ts';

/** ARNs of the two state machines; an execution's ARN follows from its machine's and its name. */
export type MachineArns = Readonly<Record<Machine, string>>;

const executionArn = (machineArn: string, name: string): string =>
  `${machineArn.replace(':stateMachine:', ':execution:')}:${name}`;

export const stepFunctionsExecutions = (client: SFNClient, arns: MachineArns): Executions => ({
  async start(machine, name, input) {
    try {
      await client.send(
        new StartExecutionCommand({ stateMachineArn: arns[machine], name, input: JSON.stringify(input) }),
      );
      return 'started';
    } catch (error) {
      if (error instanceof ExecutionAlreadyExists) return 'existed';
      throw error;
    }
  },
  async status(machine, name) {
    try {
      const found = await client.send(
        new DescribeExecutionCommand({ executionArn: executionArn(arns[machine], name) }),
      );
      const state = found.status === 'PENDING_REDRIVE' ? 'RUNNING' : found.status;
      return state && { state, cause: [found.error, found.cause].filter(Boolean).join(': ') };
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw error;
    }
  },
});
