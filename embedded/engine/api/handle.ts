// The API by its wire protocol: AWS JSON 1.0, one POST for every call, the operation in the header X-Amz-Target.
import { ApiError } from './errors.ts';
import { describeExecution, listExecutions, startExecution, stopExecution } from './executions.ts';
import { getExecutionHistory } from './history.ts';
import { describeStateMachine, listStateMachines } from './machines.ts';
import type { Machines, Operation } from './operation.ts';
import { sendTaskFailure, sendTaskHeartbeat, sendTaskSuccess } from './tasks.ts';

const PREFIX = 'AWSStepFunctions.';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['StartExecution', startExecution],
  ['DescribeExecution', describeExecution],
  ['ListExecutions', listExecutions],
  ['StopExecution', stopExecution],
  ['GetExecutionHistory', getExecutionHistory],
  ['DescribeStateMachine', describeStateMachine],
  ['ListStateMachines', listStateMachines],
  ['SendTaskSuccess', sendTaskSuccess],
  ['SendTaskFailure', sendTaskFailure],
  ['SendTaskHeartbeat', sendTaskHeartbeat],
]);

export interface ApiAnswer {
  /** The HTTP status. */
  readonly status: number;
  readonly body: unknown;
}

/** `target` is the value of X-Amz-Target. Rejects only when the engine itself has a fault; that is a 500. */
export async function handleCall(machines: Machines, target: string, body: unknown): Promise<ApiAnswer> {
  const name = target.startsWith(PREFIX) ? target.slice(PREFIX.length) : target;
  try {
    const operation = OPERATIONS.get(name);
    if (operation === undefined) {
      throw new ApiError('UnknownOperationException', `This engine has no operation '${name}'`);
    }
    return { status: 200, body: await operation(machines, body) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { status: 400, body: { __type: error.code, message: error.message } };
  }
}
