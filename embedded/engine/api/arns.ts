// ARNs of state machines and executions.
import { invalidArn } from './errors.ts';

export interface ArnScope {
  readonly region: string;
  readonly accountId: string;
}

export function machineArn({ region, accountId }: ArnScope, machine: string): string {
  return `arn:aws:states:${region}:${accountId}:stateMachine:${machine}`;
}

export function executionArn({ region, accountId }: ArnScope, machine: string, execution: string): string {
  return `arn:aws:states:${region}:${accountId}:execution:${machine}:${execution}`;
}

export function roleArn({ accountId }: ArnScope, machine: string): string {
  return `arn:aws:iam::${accountId}:role/${machine}`;
}

/** The machine's name. Throws InvalidArn. */
export function parseMachineArn(arn: string): string {
  const [machine, ...rest] = resourceParts(arn, 'stateMachine');
  if (machine === undefined || rest.length > 0) throw invalidArn(arn);
  return machine;
}

/** Throws InvalidArn. */
export function parseExecutionArn(arn: string): { readonly machine: string; readonly execution: string } {
  const [machine, execution, ...rest] = resourceParts(arn, 'execution');
  if (machine === undefined || execution === undefined || rest.length > 0) throw invalidArn(arn);
  return { machine, execution };
}

function resourceParts(arn: string, kind: string): string[] {
  const [prefix, , service, , , resource, ...parts] = arn.split(':');
  if (prefix !== 'arn' || service !== 'states' || resource !== kind || parts.includes('')) throw invalidArn(arn);
  return parts;
}
