import type { Decision } from '../../domain/decision.ts';
import { VolmoveError } from '../../domain/error.ts';

/** The VolmoveError that a promise is rejected with; anything else fails the test with what it was. */
export const refusalOf = async (promise: Promise<unknown>): Promise<VolmoveError> => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof VolmoveError) return error;
    throw error;
  }
  throw new Error('It was expected to be refused, and was not.');
};

/** What a rule writes; fails the test when it decides otherwise. */
export const written = <T>(decision: Decision<T>): T => {
  if (decision.kind === 'write') return decision.next;
  throw new Error(`It was expected to write, and did not: ${decision.kind === 'refuse' ? decision.error : 'already'}`);
};

export const refusedBy = (decision: Decision<unknown>): VolmoveError => {
  if (decision.kind === 'refuse') return decision.error;
  throw new Error(`It was expected to refuse, and was not: ${decision.kind}`);
};
