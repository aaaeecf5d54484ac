import { isErrorCode } from '../../domain/error.ts';
import { CATALOGUE } from '../../domain/error-catalogue.ts';

/** What to do, said for this case: the service names `VOLUME` and `MIGRATION`, the person wants a line to copy. */

export interface Names {
  readonly volume?: string | undefined;
  readonly migration?: string | undefined;
}

export const fillIn = (remedy: string, { volume, migration }: Names): string =>
  remedy.replace(/(volmove [a-z]+ )(VOLUME|MIGRATION)\b/gu, (whole, command: string, what: string) => {
    const name = what === 'VOLUME' ? volume : migration;
    return name === undefined ? whole : `${command}${name}`;
  });

const MIGRATION_ID = /\bmigration ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/u;

/** What a message itself names. */
export const namesIn = (message: string): Names => {
  const migration = MIGRATION_ID.exec(message)?.[1];
  return migration === undefined ? {} : { migration };
};

/** For a refusal in the standard's words, which have no room for what to do. */
export const remedyOfCode = (code: string): string | null => (isErrorCode(code) ? CATALOGUE[code].remedy : null);

/** Without the words that a verdict has just said itself. */
export const withoutReassurance = (remedy: string): string =>
  remedy.replace(/^The volume (is where it was|stays at the source)\. */u, '');
