import { VolmoveError } from '../../../domain/error.ts';

/** The VolmoveError that a call throws; fails the test when it throws none. */
export const refusedAt = (act: () => unknown): VolmoveError => {
  try {
    act();
  } catch (error) {
    if (error instanceof VolmoveError) return error;
    throw error;
  }
  throw new Error('It was expected to be refused, and was not.');
};
