// The detail of the event "Step Functions Execution Status Change".
import type { StatusChangeDetail } from '../dependencies.ts';
import { sizeBytes } from '../json.ts';
import type { RunContext } from '../run/draft.ts';
import type { Ending } from '../run/frame.ts';

/** An event holds input and output only while both together stay below this (Step Functions guide, 248 KiB). */
const MOST_DATA_BYTES = 248 * 1024;

export function statusChange({ execution, machine }: RunContext, ending: Ending | null): StatusChangeDetail {
  const status = ending?.status ?? 'RUNNING';
  const output = ending?.status === 'SUCCEEDED' ? ending.output : null;
  const isSmall = sizeBytes(execution.inputText) + sizeBytes(output ?? '') < MOST_DATA_BYTES;
  const failure = ending !== null && 'error' in ending ? ending : null;
  return {
    executionArn: execution.arn,
    stateMachineArn: machine.arn,
    name: execution.name,
    status,
    startDate: execution.startMs,
    stopDate: ending?.stopMs ?? null,
    input: isSmall ? execution.inputText : '',
    inputDetails: { included: isSmall },
    output: isSmall ? output : null,
    outputDetails: output === null ? null : { included: isSmall },
    error: failure?.error ?? null,
    cause: failure?.cause ?? null,
    stateMachineVersionArn: null,
    stateMachineAliasArn: null,
    redriveCount: 0,
    redriveDate: null,
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason: notRedrivable(status),
  };
}

export function notRedrivable(status: string): string {
  return `Execution is ${status} and cannot be redriven`;
}
