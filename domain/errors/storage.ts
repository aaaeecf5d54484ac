import { entry, type Id, type Reason } from './entry.ts';

/** The data path and the drivers; and what is a mistake of ours. */
export const STORAGE_ERRORS = {
  DestinationTooSmall: entry<Reason>(
    500,
    false,
    (p) => `The destination is smaller than the volume: ${p.reason}`,
    'Look at the destination’s backend: it made a smaller object than asked. Choose another pool, then ask again.',
  ),
  DeviceShrank: entry<Reason>(
    500,
    true,
    (p) => `An object is smaller than its volume: ${p.reason}`,
    'Look at the backend named in the message: the object was made smaller or replaced. Put that right, then ask again.',
  ),
  NoSpace: entry<Reason>(
    500,
    false,
    (p) => `The destination’s storage is full: ${p.reason}`,
    'Free space there or choose another pool, then ask again.',
  ),
  IoError: entry<Reason>(
    500,
    true,
    (p) => `Reading or writing failed: ${p.reason}`,
    'Check the storage named in the message, then ask again.',
  ),
  FlushFailed: entry<Reason>(
    500,
    true,
    (p) => `The destination could not make its data durable: ${p.reason}`,
    'Check the destination’s storage, then migrate again.',
  ),
  ConnectionLost: entry<Reason>(
    500,
    true,
    (p) => `The connection between the agents broke: ${p.reason}`,
    'Check the network between the two hosts and that both agents run.',
  ),
  PeerCertificateMismatch: entry<Reason>(
    500,
    false,
    (p) => `Another party than the registered agent answered: ${p.reason}`,
    'See who listens at that address, and that both agents run with the data directories they were registered with; then migrate again.',
  ),
  ExportNotOpen: entry<Reason>(
    500,
    true,
    (p) => `The destination’s agent has no such export: ${p.reason}`,
    'See whether that agent lost its data directory; then migrate again, which prepares the destination anew.',
  ),
  PeerRefused: entry<Reason>(500, false, (p) => `The other agent refused: ${p.reason}`, 'Look at both agents’ logs.'),
  ObjectMissing: entry<{ object: string; place: string }>(
    500,
    false,
    (p) => `The object ${p.object} is not in ${p.place}.`,
    'Look at the backend: was it removed by hand?',
  ),
  ObjectBusy: entry<{ object: string; reason: string }>(
    500,
    true,
    (p) => `The object ${p.object} is in use: ${p.reason}`,
    'End its use; the removal is tried again.',
  ),
  ObjectTombstoned: entry<{ object: string }>(
    500,
    false,
    (p) => `The object ${p.object} was removed before it was made; it is not made any more.`,
    'Nothing to do: the migration that wanted it has ended.',
  ),
  BackendOffline: entry<{ place: string; reason: string }>(
    500,
    true,
    (p) => `The backend ${p.place} is offline: ${p.reason}`,
    'Bring it back (mount the share, start the service); nothing is lost meanwhile.',
  ),
  ProgramMissing: entry<{ program: string; package: string }>(
    500,
    false,
    (p) => `The program ${p.program} (package ${p.package}) is not installed on this host.`,
    'Install the package named in the message, then ask again; of a migration by dd, copy_engine may be left out as well.',
  ),
  ProgramUnfit: entry<{ program: string; found: string; wanted: string }>(
    500,
    false,
    (p) => `The program ${p.program} on this host is ${p.found}; ${p.wanted} is needed.`,
    'Install the version named in the message, then ask again.',
  ),
  NotPermitted: entry<{ place: string; reason: string }>(
    500,
    false,
    (p) => `The agent may not do that in ${p.place}: ${p.reason}`,
    'Give the agent’s user the right named in the message (root for LVM, the caps of its client for Ceph), then try again.',
  ),
  NameTaken: entry<{ object: string; place: string; reason: string }>(
    500,
    false,
    (p) => `There is another ${p.object} in ${p.place} already: ${p.reason}`,
    'Look at the backend for who made it; rename or remove it there, then ask again.',
  ),
  HasDependents: entry<{ object: string; reason: string }>(
    500,
    false,
    (p) => `Others depend on the object ${p.object}: ${p.reason}`,
    'Remove the snapshots or clones named in the message, or flatten the clones, then try again.',
  ),
  BackendRefused: entry<{ place: string; reason: string }>(
    500,
    true,
    (p) => `The backend ${p.place} refused: ${p.reason}`,
    'The reason is the backend’s own; put it right there, then try again.',
  ),
  BackendTimedOut: entry<{ program: string; seconds: number }>(
    500,
    true,
    (p) =>
      `${p.program} did not answer within ${p.seconds} s and was told to end; what it was to do may have happened.`,
    'Look at the backend’s health; what was asked for is looked up before it is tried again.',
  ),
  Stalled: entry<{ seconds: number }>(
    500,
    true,
    (p) => `Nothing has moved for ${p.seconds} s.`,
    'Check both hosts’ storage and the network between them.',
  ),

  // our own
  ConfigInvalid: entry<{ problems: readonly string[] }>(
    400,
    false,
    (p) =>
      `The configuration has ${p.problems.length} problem${p.problems.length === 1 ? '' : 's'}:\n${p.problems.map((x) => `  - ${x}`).join('\n')}`,
    'Correct the configuration and start again.',
  ),
  AlreadyRunning: entry<Reason>(
    409,
    false,
    (p) => p.reason,
    'End the other process, or choose another port and data directory.',
  ),
  Contention: entry<Id>(503, true, (p) => `Too many writers at ${p.id}.`, 'Try again.'),
  Internal: entry<Reason>(
    500,
    true,
    (p) => `Unexpected: ${p.reason}`,
    'Try again; if it stays, report it with this text.',
  ),
} as const;
