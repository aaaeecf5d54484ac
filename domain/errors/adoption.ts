import { entry, type Reason } from './entry.ts';

/** Volumes that are taken over from outside and given up again; in the words of the Block Storage API where it has some. */
export const ADOPTION_ERRORS = {
  AlreadyManaged: entry<{ object: string; reason: string }>(
    400,
    false,
    (p) => `Unable to manage existing volume. Volume ${p.object} already managed. (${p.reason})`,
    'See which volume has it: volmove volumes manageable HOST@BACKEND#POOL.',
  ),
  InvalidReference: entry<{ object: string; reason: string }>(
    400,
    false,
    (p) => `Manage existing volume failed due to invalid backend reference ${p.object}: ${p.reason}.`,
    'See what could be taken over: volmove volumes manageable HOST@BACKEND#POOL.',
  ),
  HostNotFound: entry<{ host: string }>(
    400,
    false,
    (p) => `Host '${p.host}' not found.`,
    'Name a pool that there is, as HOST@BACKEND#POOL; list them: volmove pools.',
  ),
  HostNotUp: entry<{ host: string; reason: string }>(
    400,
    false,
    (p) => `Service is unavailable at this time. (${p.host}: ${p.reason})`,
    'Start that host’s agent or bring its pool back; see them: volmove hosts.',
  ),
  NoListing: entry<{ host: string; reason: string }>(
    503,
    true,
    (p) => `What could be taken over in ${p.host} is not known: ${p.reason}.`,
    'Look at that host’s agent and its log, then try again.',
  ),
  CannotUnmanage: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Only an available volume of which nothing else is kept can be given up. See it: volmove show VOLUME.',
  ),
} as const;
