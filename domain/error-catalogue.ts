import { bytesApart } from './bytes.ts';

/**
 * Every error that a person or a state machine can see: its stable code (also the state machine's error name), its HTTP
 * status, whether trying again may help, its message and what to do. Texts of standard rejections are those of the
 * OpenStack Block Storage API, because its clients and their users know them.
 */

interface Entry<P> {
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly message: (params: P) => string;
  readonly remedy: string;
}

const entry = <P>(
  httpStatus: number,
  retryable: boolean,
  message: (params: P) => string,
  remedy: string,
): Entry<P> => ({
  httpStatus,
  retryable,
  message,
  remedy,
});

type Id = { id: string };
type Reason = { reason: string };
type None = Record<string, never>;

export const CATALOGUE = {
  // requests
  InvalidRequest: entry<Reason>(400, false, (p) => p.reason, 'Correct what the message names, and ask again.'),
  MalformedBody: entry<Reason>(
    400,
    false,
    (p) => `Malformed request body: ${p.reason}`,
    'Send one JSON object as the body.',
  ),
  MalformedUrl: entry<None>(
    400,
    false,
    () => 'Malformed request url',
    'Use the project of your token in the URL, or leave it out.',
  ),
  BodyTooLarge: entry<{ limitBytes: number }>(
    413,
    false,
    (p) => `The request body is larger than ${p.limitBytes} bytes.`,
    'Send a smaller body.',
  ),
  Unauthorized: entry<Reason>(
    401,
    false,
    (p) => p.reason,
    'Send a token: X-Auth-Token or Authorization: Bearer (VOLMOVE_TOKEN).',
  ),
  Forbidden: entry<{ rule: string }>(
    403,
    false,
    (p) => `Policy doesn't allow ${p.rule} to be performed.`,
    'Ask an administrator, or use an administrator’s token.',
  ),
  RouteNotFound: entry<{ path: string }>(
    404,
    false,
    (p) => `The resource ${p.path} could not be found.`,
    'See GET /v3/openapi.json for what there is.',
  ),
  MethodNotAllowed: entry<{ method: string; path: string }>(
    405,
    false,
    (p) => `${p.method} is not allowed on ${p.path}.`,
    'See GET /v3/openapi.json for what there is.',
  ),
  VersionNotSupported: entry<{ asked: string; min: string; max: string }>(
    406,
    false,
    (p) => `Version ${p.asked} is not supported by the API. Minimum is ${p.min} and maximum is ${p.max}.`,
    'Ask for a version between the two.',
  ),
  IdempotencyMismatch: entry<None>(
    422,
    false,
    () => 'The Idempotency-Key was used before with another body.',
    'Use a new key for a new request.',
  ),
  // things that are not there
  VolumeNotFound: entry<Id>(
    404,
    false,
    (p) => `Volume ${p.id} could not be found.`,
    'List the volumes: volmove volumes.',
  ),
  MigrationNotFound: entry<Id>(
    404,
    false,
    (p) => `Migration ${p.id} could not be found.`,
    'List the migrations: volmove list.',
  ),
  HostUnavailable: entry<{ host: string }>(
    400,
    false,
    (p) => `Invalid host: No available service named '${p.host}'`,
    'See which hosts are up: volmove hosts; which pools there are: volmove pools.',
  ),
  PoolNotFound: entry<{ place: string }>(
    400,
    false,
    (p) => `Invalid host: No available service named '${p.place}'`,
    'List the pools: volmove pools.',
  ),
  NoPool: entry<{ sizeGib: number }>(
    400,
    false,
    (p) => `No pool has ${p.sizeGib} GiB free on a host that is up.`,
    'Free space, add a pool, or start the agent of another host.',
  ),
  // the volume's state
  InvalidVolume: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Look at the volume: volmove show VOLUME.',
  ),
  CannotAttach: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Only an available volume can be attached. See who has it: volmove show VOLUME; take it from there: volmove detach VOLUME.',
  ),
  CannotDetach: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'Only a volume that is in use can be detached; an available one is free already. See it: volmove show VOLUME.',
  ),
  CannotDelete: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'See its status: volmove show VOLUME. One that is in use is freed first: volmove detach VOLUME.',
  ),
  VolumeLocked: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'A migration has locked the volume; see which: volmove show VOLUME. Wait until it ends (volmove watch MIGRATION) or cancel it (volmove cancel MIGRATION).',
  ),
  VolumeClaimed: entry<Reason>(
    400,
    false,
    (p) => `Invalid volume: ${p.reason}`,
    'A migration is active. Wait until it ends (volmove watch MIGRATION) or cancel it (volmove cancel MIGRATION).',
  ),
  SwitchingOver: entry<Id>(
    400,
    false,
    (p) => `Invalid volume: Volume ${p.id} is being switched over to its new place; nothing can end that now.`,
    'Try again in a few seconds.',
  ),
  OutcomeUnsettled: entry<Id>(
    409,
    true,
    (p) => `The outcome of migration ${p.id} has not been recorded yet.`,
    'Try again.',
  ),
  TooLate: entry<{ id: string; state: string }>(
    409,
    false,
    (p) => `Migration ${p.id} cannot be cancelled: ${p.state}.`,
    'Look at it: volmove show MIGRATION.',
  ),
  CannotAdjust: entry<{ id: string; what: string; reason: string }>(
    409,
    false,
    (p) => `Migration ${p.id} cannot be ${p.what}: ${p.reason}.`,
    'Look at it: volmove show MIGRATION.',
  ),
  CannotRestore: entry<{ id: string; reason: string }>(
    409,
    false,
    (p) => `Volume ${p.id} cannot go back to its source: ${p.reason}.`,
    'See where it lives and what is kept of it: volmove show VOLUME.',
  ),
  ChangesSinceMigration: entry<{ id: string; migrationId: string }>(
    409,
    false,
    (p) =>
      `Volume ${p.id} may have been written to since migration ${p.migrationId} left its source: going back would lose that.`,
    'Save what you need first; then ask again with discard_changes (volmove restore VOLUME --discard-changes).',
  ),
  CannotRetry: entry<{ id: string; reason: string }>(
    409,
    false,
    (p) => `Migration ${p.id} cannot be retried: ${p.reason}.`,
    'Look at it: volmove show MIGRATION.',
  ),
  // ends of a migration
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
  // the data path and drivers
  DestinationTooSmall: entry<Reason>(
    500,
    false,
    (p) => `The destination is smaller than the volume: ${p.reason}`,
    'Look at the destination’s backend: it made a smaller object than asked. Choose another pool, then migrate again.',
  ),
  DeviceShrank: entry<Reason>(
    500,
    true,
    (p) => `An object is smaller than its volume: ${p.reason}`,
    'Look at the backend named in the message: the object was made smaller or replaced. Put that right, then migrate again.',
  ),
  NoSpace: entry<Reason>(
    500,
    false,
    (p) => `The destination’s storage is full: ${p.reason}`,
    'Free space there or choose another pool, then migrate again.',
  ),
  IoError: entry<Reason>(
    500,
    true,
    (p) => `Reading or writing failed: ${p.reason}`,
    'Check the storage named in the message, then migrate again.',
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
    'Install the package named in the message, then migrate again; or leave copy_engine out.',
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

export type ErrorCode = keyof typeof CATALOGUE;
export type ErrorParams<C extends ErrorCode> = (typeof CATALOGUE)[C] extends Entry<infer P> ? P : never;
