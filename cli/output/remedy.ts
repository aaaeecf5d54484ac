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

/** Without the words that a verdict has just said itself. */
export const withoutReassurance = (remedy: string): string =>
  remedy.replace(/^The volume (is where it was|stays at the source)\. */u, '');
