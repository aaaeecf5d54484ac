import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { Session } from './session.ts';

export interface Confirmation {
  readonly question: string;
  /** Why it has to be asked, when there is nobody to answer. */
  readonly unasked: string;
  /** What is true when the answer is no. */
  readonly refused: string;
}

/** A person is asked; a script has to say `--yes`. What cannot be undone is never done by accident. */
export const requireYes = async (
  { deps: { ask } }: Session,
  { question, unasked, refused }: Confirmation,
): Promise<void> => {
  if (!ask) throw usageError(unasked, 'Say it with --yes.');
  if (/^y(es)?$/iu.test((await ask(`${question} [y/N] `)).trim())) return;
  throw new CliError({
    exitCode: EXIT.usage,
    code: 'NotConfirmed',
    message: refused,
    remedy: 'Answer y, or say --yes.',
  });
};
