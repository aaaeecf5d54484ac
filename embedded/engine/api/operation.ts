// An operation of the API: the shape of its input, and what it does.
import type { z } from 'zod';
import type { Machine } from '../machines/machine.ts';
import { stateMachineDoesNotExist, validation } from './errors.ts';

/** What operations work on. */
export interface Machines {
  all(): readonly Machine[];
  byName(name: string): Machine | undefined;
  newId(): string;
}

export type Operation = (machines: Machines, body: unknown) => Promise<Record<string, unknown>>;

/** Checks the body first; throws ValidationException with everything that is wrong with it. */
export function operation<T>(
  schema: z.ZodType<T>,
  run: (machines: Machines, input: T) => Record<string, unknown> | Promise<Record<string, unknown>>,
): Operation {
  return async (machines, body) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return run(machines, parsed.data);
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
    throw validation(`${issues.length} validation error${issues.length === 1 ? '' : 's'}: ${issues.join('; ')}`);
  };
}

/** The machine of this ARN. Throws InvalidArn or StateMachineDoesNotExist. */
export function machineByArn(machines: Machines, arn: string, name: string): Machine {
  const machine = machines.byName(name);
  if (machine === undefined || machine.arn !== arn) throw stateMachineDoesNotExist(arn);
  return machine;
}

/** Step Functions' dates on the wire: seconds since 1970. */
export function seconds(atMs: number): number {
  return atMs / 1000;
}
