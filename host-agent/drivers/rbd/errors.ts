import { type VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { ToolEnd } from '../../tools/run-tool.ts';

/** What rbd and ceph say, in the words of the catalogue. They end with the number of an error of the system, and say it in their text. */

export interface Asked {
  /** `backend#pool`. */
  readonly place: string;
  /** The image that it was about; undefined: none. */
  readonly object?: string;
  /** Of the backend, for what did not answer in it. */
  readonly timeoutSeconds: number;
}

const MOST_TEXT = 600;
/** A line of a daemon's or client's log, which tells where in its source it came from. */
const LOG_LINE = /^\d{4}-\d\d-\d\dT\S+ \S+ +-?\d+ /;
/** A key of cephx. */
const KEY = /\bAQ[A-Za-z0-9+/]{30,}={0,2}/g;

/** What a person should read of it: not the log lines, unless there is nothing else, no progress and no key. */
export const textOf = ({ stderr }: Pick<ToolEnd, 'stderr'>): string => {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[A-Z][a-z ]+: \d+% complete/.test(line));
  const plain = lines.filter((line) => !LOG_LINE.test(line));
  const chosen = plain.length > 0 ? plain : lines.map((line) => line.replace(LOG_LINE, ''));
  return chosen.join(' ').replace(KEY, '(a key)').slice(0, MOST_TEXT);
};

const NUMBERED = /\((\d+)\) [A-Z]|\[errno (\d+)\]/g;

/** The number that it says, or ends with. `rbd` also ends with 1 for an option that it does not know. */
export const errnoOf = ({ exitCode, stderr }: Pick<ToolEnd, 'exitCode' | 'stderr'>): number => {
  const said = [...stderr.matchAll(NUMBERED)].at(-1);
  if (said) return Number(said[1] ?? said[2]);
  const named = /^Error (E[A-Z]+):/m.exec(stderr)?.[1];
  if (named !== undefined && named in NAMED) return NAMED[named] as number;
  if (/\btimed out\b/.test(stderr)) return ERRNO.TIMED_OUT;
  return exitCode === null || exitCode === 1 ? 0 : exitCode;
};

export const ERRNO = {
  NOT_PERMITTED: 1,
  NOT_THERE: 2,
  ACCESS: 13,
  BUSY: 16,
  EXISTS: 17,
  INVALID: 22,
  NO_SPACE: 28,
  NOT_EMPTY: 39,
  NOT_SUPPORTED: 95,
  NETWORK: 101,
  UNREACHABLE: 113,
  NOT_CONNECTED: 107,
  BLOCKLISTED: 108,
  TIMED_OUT: 110,
  REFUSED: 111,
  QUOTA: 122,
} as const;

/** How the monitors say it. */
const NAMED: Readonly<Record<string, number>> = {
  EPERM: ERRNO.NOT_PERMITTED,
  EACCES: ERRNO.ACCESS,
  ENOENT: ERRNO.NOT_THERE,
  ETIMEDOUT: ERRNO.TIMED_OUT,
};

const UNTIL_FREE = 'detach or unmap it there; a client that has died is let go of after half a minute';
const BUSY_TEXT = `a client has it open, \`rbd status\` says which: ${UNTIL_FREE}`;

export const heldBy = (addresses: readonly string[]): string =>
  `${addresses.join(', ')} ${addresses.length === 1 ? 'has' : 'have'} it open: ${UNTIL_FREE}`;

const ofConnecting = (end: ToolEnd, { place, timeoutSeconds }: Asked): VolmoveError => {
  const text = textOf(end);
  switch (errnoOf(end)) {
    case ERRNO.NOT_PERMITTED:
    case ERRNO.ACCESS:
    case ERRNO.NOT_SUPPORTED:
      return volmoveError('NotPermitted', {
        place,
        reason: `the cluster does not let the client in; see its id, its keyring and its caps (${text})`,
      });
    case ERRNO.NOT_THERE:
      return volmoveError('NotPermitted', {
        place,
        reason: `there is no keyring for the client, or no monitor in the conf (${text})`,
      });
    default:
      return volmoveError('BackendOffline', {
        place,
        reason: `no monitor of the cluster answered within ${timeoutSeconds} s (${text})`,
      });
  }
};

const CONNECTING = /couldn't connect to the cluster|error connecting to the cluster|unable to get monitor info/;

/** Of a program that did not end well. */
export const refusalBy = (end: ToolEnd, asked: Asked): VolmoveError => {
  const { place, object = 'of the pool', timeoutSeconds } = asked;
  if (CONNECTING.test(end.stderr)) return ofConnecting(end, asked);
  const reason = textOf(end) || `it ended with ${end.exitCode ?? 'a signal'} and said nothing`;
  switch (errnoOf(end)) {
    case ERRNO.NOT_PERMITTED:
    case ERRNO.ACCESS:
      return volmoveError('NotPermitted', { place, reason: `the client's caps do not suffice (${reason})` });
    case ERRNO.NOT_THERE:
      return asked.object === undefined || /opening pool|namespace/.test(reason)
        ? volmoveError('BackendOffline', { place, reason })
        : volmoveError('ObjectMissing', { object, place });
    case ERRNO.BUSY:
      return volmoveError('ObjectBusy', { object, reason: BUSY_TEXT });
    case ERRNO.EXISTS:
      return volmoveError('NameTaken', { object, place, reason });
    case ERRNO.NOT_EMPTY:
      return volmoveError('HasDependents', { object, reason });
    case ERRNO.NO_SPACE:
    case ERRNO.QUOTA:
      return volmoveError('NoSpace', { reason: `${place}: ${reason}` });
    case ERRNO.TIMED_OUT:
      return volmoveError('BackendOffline', {
        place,
        reason: `the cluster did not answer within ${timeoutSeconds} s (${reason})`,
      });
    case ERRNO.NETWORK:
    case ERRNO.UNREACHABLE:
    case ERRNO.NOT_CONNECTED:
    case ERRNO.BLOCKLISTED:
    case ERRNO.REFUSED:
      return volmoveError('BackendOffline', { place, reason });
    default:
      return volmoveError('BackendRefused', { place, reason });
  }
};
