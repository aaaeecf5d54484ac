import { bytesApart } from '../bytes.ts';
import { entry, type Id, type None, type Reason } from './entry.ts';

/** Ends of a migration, and what hosts and jobs come to. */
export const MIGRATION_ERRORS = {
  ClaimLost: entry<Reason>(
    409,
    false,
    (p) => `The migration lost its claim on the volume: ${p.reason}`,
    'The volume is where it was. Migrate it again when you wish.',
  ),
  AbortedByAttach: entry<{ request: string }>(
    409,
    false,
    (p) => `Aborted by ${p.request}: the volume was wanted while it was being migrated without a lock.`,
    'The volume is where it was. Migrate it again after it is detached, or with --force to lock it.',
  ),
  AbortedByReset: entry<None>(
    409,
    false,
    () => 'Aborted by a reset of the volume’s status.',
    'The volume is where it was. Migrate it again when you wish.',
  ),
  Cancelled: entry<{ by: string }>(
    409,
    false,
    (p) => `Cancelled by ${p.by}.`,
    'The volume is where it was. Migrate it again when you wish.',
  ),
  Superseded: entry<{ run: number }>(
    409,
    false,
    (p) => `Run ${p.run} of the migration was replaced by a newer one.`,
    'Look at the newer run: volmove show MIGRATION.',
  ),
  NeverClaimed: entry<None>(
    409,
    false,
    () => 'The request was accepted but died before it reached the volume.',
    'Ask again.',
  ),
  ExecutionEnded: entry<{ status: string; cause: string }>(
    500,
    true,
    (p) => `The execution ended ${p.status} before the migration did: ${p.cause}`,
    'The volume is where it was. Migrate it again.',
  ),
  TimedOut: entry<{ state: string }>(
    500,
    true,
    (p) => `${p.state} did not end in time.`,
    'The volume is where it was. Look at both agents, then migrate again.',
  ),
  DigestMismatch: entry<{ source: string; destination: string; volumeAt: string; stillDiffering: string | null }>(
    500,
    true,
    (p) =>
      `What is stored at the destination differs from the source${p.stillDiffering === null ? '' : ` in ${p.stillDiffering}, also after one repair`}: ${p.source} at the source, ${p.destination} at the destination. The source is untouched, and the volume is there: ${p.volumeAt}.`,
    'Check the destination’s storage, then migrate again.',
  ),
  NoProof: entry<Reason>(
    500,
    true,
    (p) => `There is no proof that the copy is whole: ${p.reason}`,
    'The volume stays at the source. Migrate again.',
  ),
  CapacityShort: entry<{ place: string; needBytes: number; freeBytes: number }>(
    400,
    false,
    ({ place, needBytes, freeBytes }) => {
      const [need, free] = bytesApart(needBytes, freeBytes);
      return `Not enough space in ${place}: ${need} are needed, ${free} are free and not reserved.`;
    },
    'Choose another pool, or free space there.',
  ),
  DdNotPossible: entry<Reason>(
    400,
    false,
    (p) => `The copy engine dd cannot make this copy: ${p.reason}.`,
    'Leave copy_engine out: volmove’s own engine copies between any two places, and keeps to limits.',
  ),

  MoveNotUndone: entry<{ hostId: string }>(
    503,
    true,
    (p) =>
      `The backend is moving the volume by itself and has not gone back from it; host ${p.hostId} is to see to it.`,
    'Cancel the migration, if it still runs: that host’s agent goes back, and is asked again at least every ten minutes until it has; volmove show says what keeps it. If the host is lost for good, start an agent of the same host id on another one.',
  ),

  // hosts and jobs
  HostLost: entry<{ hostId: string; forSeconds: number }>(
    500,
    true,
    (p) => `Host ${p.hostId} has not been heard of for ${p.forSeconds} s.`,
    'Start its agent, then migrate again.',
  ),
  AgentSuperseded: entry<{ hostId: string }>(
    409,
    false,
    (p) => `Another agent has registered as host ${p.hostId}.`,
    'Give each agent a host id of its own.',
  ),
  JobNotFound: entry<Id>(
    404,
    false,
    (p) => `Job ${p.id} could not be found.`,
    'Look at the migration: volmove show MIGRATION.',
  ),
  JobSuperseded: entry<Id>(
    409,
    false,
    (p) => `Job ${p.id} was taken over by a newer attempt.`,
    'Nothing to do: the newer attempt carries on.',
  ),
} as const;
