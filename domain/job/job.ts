import type { NamedRanges } from '../byte-range.ts';
import type { Failure } from '../error.ts';
import type { ObjectRef, ObjectReference, Placement } from '../placement.ts';
import type { Priority } from '../priority.ts';
import type { CopyEngine } from '../volume/volume.ts';

/** Work of one host: identified by (migration, run, kind), or by the object and try for removals (design section 3). */
export interface JobTypes {
  'volume.create': { input: CreateInput; result: CreateResult };
  /** Finds what others have made, and says whether it is fit to be a volume; changes nothing. */
  'volume.adopt': { input: AdoptInput; result: AdoptResult };
  'destination.prepare': { input: PrepareInput; result: PrepareResult };
  'data.copy': { input: CopyInput; result: CopyResult };
  'data.verify': { input: VerifyInput; result: VerifyResult };
  /** When the two digests differ: copies what differs again, once. */
  'data.repair': { input: RepairInput; result: RepairResult };
  /** Verifies again after the repair; nothing is ever repaired twice. */
  'data.reverify': { input: VerifyInput; result: VerifyResult };
  /** The backend moves the volume by itself, up to the point from where only the switch is missing. */
  'backend.move': { input: MoveInput; result: MoveResult };
  /** It switches over, and gives the source up: from here it only goes forward. */
  'backend.finish': { input: MoveInput; result: FinishResult };
  /** It goes back: the source is as it was, nothing is left of the destination. */
  'backend.undo': { input: MoveInput; result: UndoResult };
  'object.remove': { input: RemoveInput; result: RemoveResult };
  /** One page of what lies in a pool; whoever asked takes the job off the list. */
  'pool.scan': { input: ScanInput; result: ScanResult };
  /** What a move would meet at its source, for a dry run; changes nothing, and whoever asked takes the job off the list. */
  'source.check': { input: CheckInput; result: CheckResult };
}
export type JobKind = keyof JobTypes;

export interface CreateInput {
  readonly objectName: string;
  readonly place: Placement;
  readonly sizeBytes: number;
}
export interface CreateResult {
  readonly object: ObjectRef;
}
export interface AdoptInput {
  readonly reference: ObjectReference;
  readonly place: Placement;
}
export interface AdoptResult {
  readonly object: ObjectRef;
}
export interface PrepareInput {
  readonly objectName: string;
  readonly place: Placement;
  readonly sizeBytes: number;
  /** The only certificate that the export admits: the source host's agent's (SHA-256, lower-case hex). */
  readonly admitFingerprint: string;
  /** An earlier run has made the object, and this one goes on with it: it is found, never made. */
  readonly existingId?: string;
}
export interface PrepareResult {
  readonly object: ObjectRef;
  /** True when this very object is known to read as zeroes. */
  readonly zero: boolean;
  /** Where the export listens, `host:port`. */
  readonly address: string;
  readonly fingerprint: string;
}
export interface CopyInput {
  readonly source: ObjectRef;
  readonly sizeBytes: number;
  readonly peer: { readonly address: string; readonly fingerprint: string };
  readonly destinationIsZero: boolean;
  readonly writeEpoch: number;
  readonly progressIntervalSeconds: number | null;
  readonly digest: boolean;
  /** The destination holds content of an earlier try that is worth comparing with: only what differs is written. */
  readonly destinationHasContent?: true;
  /** The copy of an earlier run to the same object, of a volume that has not changed since: its checkpoint is this one's. */
  readonly carriesOnFrom?: string;
  /** When it fails its checkpoint is kept for a retry, for so long; undefined: it is forgotten. */
  readonly keptForSeconds?: number;
  /** Undefined: `volmove`. */
  readonly engine?: CopyEngine;
}
export interface CopyResult {
  /** Null when the copy was asked for without verification. */
  readonly digest: string | null;
  readonly writeEpoch: number;
  /** The attempt whose export took the bytes. */
  readonly generation: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly durationMs: number;
}
export interface VerifyInput {
  readonly object: ObjectRef;
  readonly sizeBytes: number;
  readonly progressIntervalSeconds: number | null;
  readonly digest: boolean;
  /** What the source's agent says of what it wrote; undefined when it made no digest. */
  readonly expected?: { readonly digest: string; readonly generation: number };
  /** What a repair has copied again since `before` was read back. */
  readonly repaired?: Pick<RepairResult, 'differing' | 'hashes'> & { readonly before: string };
}
export interface VerifyResult {
  readonly digest: string | null;
  /** The highest generation that was sealed before the digest was read back. */
  readonly generation: number;
  /** `cached` when the page cache could not be passed by. */
  readonly readback: 'direct' | 'cached';
  /** After a repair that did not help: what differs now, where that can be told. */
  readonly differing?: NamedRanges;
}
export interface RepairInput {
  readonly source: ObjectRef;
  readonly sizeBytes: number;
  readonly peer: { readonly address: string; readonly fingerprint: string };
  readonly writeEpoch: number;
  readonly progressIntervalSeconds: number | null;
  /** The source's, from the copy. */
  readonly sourceDigest: string;
  /** What was read back of the generation that was sealed; the repair's own generations are above it. */
  readonly sealed: { readonly digest: string; readonly generation: number };
}
export interface RepairResult {
  /** Of the source, after its chunks that differ were read again. */
  readonly digest: string;
  readonly writeEpoch: number;
  readonly generation: number;
  /** What differed, and was copied again. */
  readonly differing: NamedRanges;
  /** One for each range, over the source's leaf hashes; null when they are not known for certain. */
  readonly hashes: readonly string[] | null;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly durationMs: number;
}
export interface MoveInput {
  readonly source: ObjectRef;
  /** As the source's host calls the pool. */
  readonly destination: { readonly pool: string; readonly objectName: string };
  readonly sizeBytes: number;
  readonly progressIntervalSeconds: number | null;
}
/** Not moved: nothing was begun, for this reason, and the volume is to be copied instead. */
export type MoveResult = { readonly moved: true } | { readonly moved: false; readonly reason: string };
export interface FinishResult {
  readonly objectId: string;
  readonly sizeBytes: number;
}
export type UndoResult = Readonly<Record<string, never>>;

export interface RemoveInput {
  readonly objectName: string;
  readonly objectId: string | null;
  readonly place: Placement;
  /** Overwrites it first, unless it is thin. */
  readonly wipe?: true;
}
export interface RemoveResult {
  /** False when there was nothing to remove: the tombstone stands all the same. */
  readonly existed: boolean;
  /** Undefined when it was not asked for. */
  readonly wiped?: Wiped;
}
/** `thin`: what is given back to a thin pool is never read by another. False: it was not there any more. */
export type Wiped = boolean | 'thin';

export interface ScanInput {
  readonly place: Placement;
  /** Undefined: what volmove has made there. `others`: what it could take over. */
  readonly what?: 'others';
  /** Names behind this one, in their order; null: from the first. */
  readonly after: string | null;
}
export interface ScanResult {
  readonly objects: readonly ScannedObject[];
  /** There are others behind the last one. */
  readonly more: boolean;
}
export interface ScannedObject {
  readonly objectName: string;
  readonly objectId: string;
  readonly sizeBytes: number;
  /** By the backend's clock; null where it keeps no such time. */
  readonly madeAtMs: number | null;
  /** Why it cannot be taken over as it is; undefined when it can. */
  readonly unfit?: string;
}

export interface CheckInput {
  readonly source: ObjectRef;
  readonly sizeBytes: number;
  /** The destination's pool as the source's backend calls it, where that would be asked to move the volume; null: a copy. */
  readonly moveTo: string | null;
}
/** `copy`: with the reason, where the backend was asked and says no. */
export type CheckResult =
  | { readonly way: 'backend' }
  | { readonly way: 'copy'; readonly why: string | null; readonly readback: 'direct' | 'cached' };

/** Wishes of the control plane, read by the agent with every report. */
export interface JobControl {
  /** Where the other agent listens now, when it is not where the job's input says: its port was taken while it was away. */
  readonly peerAddress?: string;
  readonly cancel: boolean;
  readonly paused: boolean;
  /** Bytes a second; null: no limit. */
  readonly bandwidthBytesPerSecond: number | null;
  /** Of its wait for a place (domain/job/queue.ts); undefined: normal. */
  readonly priority?: Priority;
  /** Raised by whoever wants a report at once; the agent reports when it differs from what it last saw. */
  readonly reportNow: number;
}

/**
 * `paused` is said when everything that was under way has ended, not when the pause is wished; `queued` when that pause is over
 * and the job waits for a place again.
 */
export type Activity = 'zeroing' | 'paused' | 'queued';

/** Counts bytes of the volume that are settled, holes included; never goes back within an attempt's checkpoint. */
export interface Progress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
  readonly attempt: number;
  /** Counts the reports of this attempt; part of their events' sequence. */
  readonly n: number;
  readonly atMs: number;
  /** Undefined: it does what its job is called after. */
  readonly activity?: Activity;
  /** While a destination's end is zeroed: bytes of that end, which are none of the volume's. */
  readonly zeroing?: { readonly doneBytes: number; readonly totalBytes: number };
  /** Set on the report that begins a stall: it is told as Stalled, under its own n. */
  readonly stalled?: true;
}

/** Who waits for a job: the task token of a state, and when that state was entered. */
export interface Waiting {
  readonly token: string;
  readonly enteredAtMs: number;
  readonly retryCount: number;
}

export type JobStage =
  | { readonly state: 'queued' }
  | { readonly state: 'running'; readonly incarnation: string; readonly sinceMs: number }
  | { readonly state: 'succeeded'; readonly endedAtMs: number; readonly result: JobTypes[JobKind]['result'] }
  | { readonly state: 'failed'; readonly endedAtMs: number; readonly failure: Failure };

interface JobBase {
  readonly hostId: string;
  readonly id: string;
  readonly volumeId: string;
  readonly projectId: string;
  /** Null for creates and deletes of volumes. */
  readonly migrationId: string | null;
  readonly run: number;
  /** Raised each time an agent takes the job; a report or result of a lower attempt is refused. */
  readonly attempt: number;
  readonly control: JobControl;
  readonly progress: Progress | null;
  /** The last reports, oldest first: the control plane replays them as events. At most RECENT_REPORTS. */
  readonly recent: readonly Progress[];
  /** Time of the first report of a stall that still lasts; null when it moves. */
  readonly stalledSinceMs: number | null;
  readonly queuedAtMs: number;
  /** Whose result it was made for; never changes (token.ts). */
  readonly waiting?: Waiting;
  readonly stage: JobStage;
}

export type JobSpec = { [K in JobKind]: { readonly kind: K; readonly input: JobTypes[K]['input'] } }[JobKind];
export type Job = JobBase & JobSpec;

export const RECENT_REPORTS = 8;
export const NO_CONTROL: JobControl = { cancel: false, paused: false, bandwidthBytesPerSecond: null, reportNow: 0 };

/** How long after its end a copy may be gone on with by a retry, at the most. */
export const keptForRetrySeconds = (job: Job): number =>
  job.kind === 'data.copy' && job.stage.state === 'failed' ? (job.input.keptForSeconds ?? 0) : 0;

export const isJobEnded = (job: Job): boolean => job.stage.state === 'succeeded' || job.stage.state === 'failed';

/** Kinds that move or read the volume's bytes, in the order in which a run gets to them: their progress is its progress. */
const DATA_PHASES = {
  'backend.move': 'moving',
  'data.copy': 'copying',
  'data.verify': 'verifying',
  'data.repair': 'repairing',
  'data.reverify': 'reverifying',
} as const;
export type DataKind = keyof typeof DATA_PHASES;
export type DataPhase = (typeof DATA_PHASES)[DataKind];

export const isDataKind = (kind: JobKind): kind is DataKind => Object.hasOwn(DATA_PHASES, kind);
export const phaseOfData = (kind: DataKind): DataPhase => DATA_PHASES[kind];
/** Ends a move of the backend, forward or back: no wish stops that, or the volume would be left between two places. */
export const endsMove = (kind: JobKind): boolean => kind === 'backend.finish' || kind === 'backend.undo';
/** What a lost host owes all the same: nobody else may do it, so it waits for the host. */
export const waitsForHost = (kind: JobKind): boolean => kind === 'object.remove' || endsMove(kind);
/** The source's agent writes to the destination's: the job cannot do without either host. */
export const writesToPeer = (kind: JobKind): boolean => kind === 'data.copy' || kind === 'data.repair';

/** The result of an ended job of the kind that the caller expects; undefined when it has not succeeded. */
export const resultOf = <K extends JobKind>(job: Job | undefined, kind: K): JobTypes[K]['result'] | undefined =>
  job?.kind === kind && job.stage.state === 'succeeded' ? (job.stage.result as JobTypes[K]['result']) : undefined;

export const migrationJobId = (migrationId: string, run: number, kind: JobKind): string =>
  `${migrationId}.${run}.${kind}`;
export const createJobId = (volumeId: string, operation: number): string => `${volumeId}.${operation}.volume.create`;
export const adoptJobId = (volumeId: string, operation: number): string => `${volumeId}.${operation}.volume.adopt`;
