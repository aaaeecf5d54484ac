import * as z from 'zod';
import { type Failure, isErrorCode, volmoveError } from '../../domain/error.ts';
import { CATALOGUE } from '../../domain/error-catalogue.ts';
import type { Migration } from '../../domain/migration/migration.ts';

/** An error as a Catch of the state machine sees it. */
export const CAUGHT = z.object({ Error: z.string().default('Internal'), Cause: z.string().default('') });
export type Caught = z.infer<typeof CAUGHT>;

const textOf = (cause: string): string => {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return String(parsed.errorMessage);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return cause;
};

/** A state machine's error as a failure of ours: its name is one of our codes, or one of Step Functions' own. */
export const failureOf = ({ Error: name, Cause: cause }: Caught): Failure => {
  if (isErrorCode(name)) return { code: name, message: textOf(cause), remedy: CATALOGUE[name].remedy };
  if (name === 'States.Timeout') return volmoveError('TimedOut', { state: 'A state of the execution' }).toFailure();
  return volmoveError('Internal', { reason: `${name}: ${textOf(cause)}` }).toFailure();
};

/** A job only knows that it was told to stop; the migration knows by whom. */
export const reasonFor = (failure: Failure, migration: Migration | undefined): Failure => {
  const cancel = migration?.wishes.cancel;
  return failure.code === 'Cancelled' && cancel ? volmoveError('Cancelled', { by: cancel.by }).toFailure() : failure;
};
