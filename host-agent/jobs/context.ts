import type { Job, JobControl, JobKind, JobTypes } from '../../domain/job/job.ts';
import type { TokenBucket } from '../copy/token-bucket.ts';
import type { BufferPool } from '../device/buffer-pool.ts';
import type { Backends } from '../drivers/registry.ts';
import type { Exports } from '../exports.ts';
import type { CheckpointJournal } from '../journal/checkpoints.ts';
import type { ObjectJournal } from '../journal/objects.ts';

/** What the whole agent lends to a job. */
export interface AgentParts {
  readonly backends: Backends;
  readonly objects: ObjectJournal;
  readonly checkpoints: CheckpointJournal;
  readonly exports: Exports;
  readonly identity: {
    readonly keyPem: string;
    readonly certPem: string;
    readonly fingerprint: string;
    readonly address: string;
  };
  readonly settings: {
    readonly progressIntervalSeconds: number;
    readonly stallAfterSeconds: number;
    readonly peerAwaySeconds: number;
  };
  /** Shared by all of the host's copies. */
  readonly hostBucket: TokenBucket;
  /** Windows of aligned buffers for copies and read-backs. */
  readonly buffers: BufferPool;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface Measured {
  readonly settledBytes: number;
  readonly totalBytes: number;
  readonly rateBytesPerSecond: number;
}

/** One attempt of one job. */
export interface JobRun<K extends JobKind> {
  readonly job: Job & { readonly kind: K; readonly input: JobTypes[K]['input'] };
  /** Aborted by cancel, a lost lease, a newer attempt, and the agent's stop; the reason tells which. */
  readonly signal: AbortSignal;
  /** The control wishes as last read, and a call at each change. */
  readonly control: { current(): JobControl; onChange(listener: () => void): void };
  /** Remembers how far it is; the reporter sends it at its interval. */
  measured(progress: Measured): void;
  /** Takes the job again under a new attempt, for a new generation of the export. */
  renew(): Promise<number>;
}

export type JobHandler<K extends JobKind> = (parts: AgentParts, run: JobRun<K>) => Promise<JobTypes[K]['result']>;
export type JobHandlers = { readonly [K in JobKind]: JobHandler<K> };
