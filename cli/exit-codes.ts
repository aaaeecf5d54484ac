/**
 * The one table of exit codes: scripts decide by them, so a number never changes its meaning. `--help` and the tests read
 * this table; no other file holds a number.
 */
export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  blocked: 3,
  notFound: 4,
  auth: 5,
  conflict: 6,
  failed: 7,
  needsYou: 8,
  timedOut: 9,
  leftovers: 10,
  detached: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'unexpected: no answer from the endpoint, or a fault',
  2: 'usage: the command line is not understood',
  3: 'blocked: a check refused the request, nothing was changed',
  4: 'not found',
  5: 'not allowed: the token is missing, wrong or not an administrator’s',
  6: 'conflict: too late, in use, or the same key with another request',
  7: 'failed, the volume is safe where it was; nothing is left, or what is left is still being removed',
  8: 'ended, well or not, and something is left over that needs you',
  9: 'time-out of --wait: the work goes on',
  10: 'cleanup: something is left over, or a pool could not be looked into',
  130: 'detached by Ctrl-C: a migration goes on',
};

/** HTTP status of a refused request as an exit code. */
export const exitCodeOfStatus = (status: number): ExitCode => {
  switch (status) {
    case 400:
    case 413:
      return EXIT.blocked;
    case 401:
    case 403:
      return EXIT.auth;
    case 404:
      return EXIT.notFound;
    case 409:
    case 422:
      return EXIT.conflict;
    default:
      return EXIT.unexpected;
  }
};

/** Most urgent first: what one exit code says about several migrations. */
const URGENCY: readonly ExitCode[] = [
  EXIT.detached,
  EXIT.unexpected,
  EXIT.needsYou,
  EXIT.failed,
  EXIT.timedOut,
  EXIT.blocked,
];

export const mostUrgent = (codes: readonly ExitCode[]): ExitCode =>
  URGENCY.find((code) => codes.includes(code)) ?? codes.find((code) => code !== EXIT.done) ?? EXIT.done;
