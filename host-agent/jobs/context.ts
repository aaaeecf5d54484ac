import type { BlockDevice } from '../../domain/block-device.ts';
import type { Activity, Job, JobKind, JobTypes } from '../../domain/job/job.ts';
import type { Children } from '../children/child.ts';
import type { SharedBucket } from '../copy/token-bucket.ts';
import type { Zeroed } from '../copy/zero-tail.ts';
import type { BufferPool } from '../device/buffer-pool.ts';
import type { Backends } from '../drivers/registry.ts';
import type { Exports } from '../exports.ts';
import type { CheckpointJournal } from '../journal/checkpoints.ts';
import type { LeafJournal } from '../journal/leaves.ts';
import type { ObjectJournal } from '../journal/objects.ts';
import type { NbdTarget } from '../nbd/connect.ts';
import type { Wishes } from './control-box.ts';

/** What the whole agent lends to a job. */
export interface AgentParts {
  readonly backends: Backends;
  readonly objects: ObjectJournal;
  readonly checkpoints: CheckpointJournal;
  readonly leaves: LeafJournal;
  readonly exports: Exports;
  /** Another agent's export. */
  readonly connect: (target: NbdTarget) => Promise<BlockDevice>;
  readonly identity: {
    readonly keyPem: string;
    readonly certPem: string;
    readonly fingerprint: string;
    readonly address: string;
  };
  readonly settings: {
    readonly progressIntervalSeconds: number;
    readonly stallAfterSeconds: number;
    /** A stall that has lasted for so long fails the job; null: never. */
    readonly stallFailAfterSeconds: number | null;
    readonly peerAwaySeconds: number;
    readonly peerAnswerSeconds: number;
    /** The limit of all of the host's copies together, in bytes a second; null: none. */
    readonly bandwidthBytesPerSecond: number | null;
  };
  /** Programs that the agent runs, and that die with it. */
  readonly children: Children;
  /** Shared by all of the host's copies. */
  readonly hostBucket: SharedBucket;
  /** Windows of aligned buffers for copies and read-backs. */
  readonly buffers: BufferPool;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Hears of what is tried again, and of what failed beside a job. */
  readonly onProblem: (what: string, error: unknown) => void;
}

export interface Measured {
  readonly settledBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
  readonly activity?: Activity;
  readonly zeroing?: Zeroed;
}

/** One attempt of one job. */
export interface JobRun<K extends JobKind> {
  readonly job: Job & { readonly kind: K; readonly input: JobTypes[K]['input'] };
  /** Aborted by cancel, a lost lease, a newer attempt, and the agent's stop; the reason tells which. */
  readonly signal: AbortSignal;
  /** The control wishes as last read. */
  readonly control: Wishes;
  /** Remembers how far it is; the reporter sends it at its interval. */
  measured(progress: Measured): void;
  /** Takes the job again under a new attempt, for a new generation of the export. */
  renew(): Promise<number>;
}

export type JobHandler<K extends JobKind> = (parts: AgentParts, run: JobRun<K>) => Promise<JobTypes[K]['result']>;
export type JobHandlers = { readonly [K in JobKind]: JobHandler<K> };
