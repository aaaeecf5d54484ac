import type { CleanupEntry, Leftover } from '../cleanup.ts';
import type { Failure } from '../error.ts';
import type { JobKind } from '../job/job.ts';
import type { ObjectRef, Placement } from '../placement.ts';
import type { Priority } from '../priority.ts';
import type { MigrationOptions, Restored } from '../volume/volume.ts';

/** The steps of a run as an administrator sees them; their order is the order of the story (design section 1). */
export const PHASES = [
  'validating',
  'locking',
  'preparing',
  'copying',
  'moving',
  'switching',
  'verifying',
  'repairing',
  'reverifying',
  'finalizing',
  'rolling_back',
] as const;
export type Phase = (typeof PHASES)[number];

/** One line of the migration's timeline: appended by the same write as the transition that it tells of. */
export interface StoryEntry {
  readonly atMs: number;
  readonly run: number;
  readonly who: string;
  readonly from: string;
  readonly to: string;
  readonly why: string | null;
}

/** Where a job of this migration is: enough to find, cancel and read it. */
export interface JobRef {
  readonly hostId: string;
  readonly jobId: string;
  readonly kind: JobKind;
  readonly run: number;
}

/** An object that a run was about to make; written before its job, so that a rollback knows of it whatever happened. */
export interface RunObject {
  /** Of a retry that goes on with what an earlier run has made: the retry. */
  readonly run: number;
  readonly objectName: string;
  readonly placement: Placement;
}

export interface Reservation {
  readonly poolId: string;
  readonly bytes: number;
  /** The run that took it; undefined: the first. */
  readonly run?: number;
}

/** What a finished run can tell: digests of both ends and what was moved. */
export interface Report {
  readonly sourceDigest: string | null;
  readonly destinationDigest: string | null;
  /** How the destination was read back: `cached` when the page cache could not be passed by. Null when it was not. */
  readonly readback: 'direct' | 'cached' | null;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly copyMs: number;
}

/** A Cleanup event as it was sent: what was left changes afterwards, what was said does not. */
export interface CleanupNotice {
  /** The run after whose end it was sent. */
  readonly run?: number;
  readonly result: 'done' | 'needs_you';
  readonly atMs: number;
  readonly left: readonly Leftover[];
}

export interface Wish {
  readonly by: string;
  readonly atMs: number;
}

/** What was asked of it while it is under way; null: nothing. */
export interface Wishes {
  readonly cancel: Wish | null;
  readonly pause: Wish | null;
  /** Stands in the place of the limit in the options; bytes a second, null: no limit. */
  readonly bandwidth: (Wish & { readonly bytesPerSecond: number | null }) | null;
  /** Stands in the place of the priority in the options. */
  readonly priority?: Wish & { readonly level: Priority };
}

/** How a run ended that was retried. */
export interface PastEnd {
  readonly run: number;
  readonly endedAtMs: number;
  readonly reason: Failure;
}

interface MigrationBase {
  readonly id: string;
  readonly volumeId: string;
  readonly projectId: string;
  readonly volumeName: string | null;
  readonly sizeBytes: number;
  readonly run: number;
  readonly source: ObjectRef;
  readonly destination: Placement;
  readonly options: MigrationOptions;
  readonly requestedBy: string;
  readonly requestedAtMs: number;
  /** SHA-256 of the request's body when it carried an Idempotency-Key: a repeat must be the same request. */
  readonly requestHash: string | null;
  readonly wishes: Wishes;
  readonly jobs: readonly JobRef[];
  readonly objects: readonly RunObject[];
  readonly reservation: Reservation | null;
  readonly cleanup: readonly CleanupEntry[];
  /** True when the Ended event was sent and the capacity given back; a refused migration never started. */
  readonly endedTold: boolean;
  /** True when none of its jobs is under way any more: an execution may still wait for one whose host is lost. */
  readonly jobsEnded: boolean;
  /** Which Cleanup events were sent, and what they said: each at most once. */
  readonly cleanupNotices: readonly CleanupNotice[];
  readonly cleanupTold: { readonly done: boolean; readonly needsYou: boolean };
  readonly report: Report | null;
  /** Runs before this one that have failed and were told, oldest first. */
  readonly pastEnds?: readonly PastEnd[];
  /** Set when the volume went back to the source that was kept. */
  readonly restored?: Restored;
  readonly story: readonly StoryEntry[];
  readonly updatedAtMs: number;
}

export type MigrationStage =
  | { readonly state: 'requested' }
  | { readonly state: 'running'; readonly phase: Phase; readonly phaseSinceMs: number }
  | { readonly state: 'succeeded'; readonly endedAtMs: number }
  | { readonly state: 'failed'; readonly endedAtMs: number; readonly reason: Failure }
  | { readonly state: 'refused'; readonly endedAtMs: number; readonly reason: Failure };

export type Migration = MigrationBase & { readonly stage: MigrationStage };
export type EndedStage = Extract<MigrationStage, { endedAtMs: number }>;

export const isEnded = (migration: Migration): migration is Migration & { stage: EndedStage } => {
  switch (migration.stage.state) {
    case 'requested':
    case 'running':
      return false;
    case 'succeeded':
    case 'failed':
    case 'refused':
      return true;
  }
};

/** What the timeline and the CLI call the migration's present step. */
export const phaseName = (migration: Migration): string =>
  migration.stage.state === 'running' ? migration.stage.phase : migration.stage.state;

/** Nothing is left to do for it: ended, told, its capacity given back, no job under way, nothing in cleanup. Then it leaves the open index. */
export const isClosed = (migration: Migration): boolean =>
  isEnded(migration) &&
  ((migration.endedTold && migration.jobsEnded) || migration.stage.state === 'refused') &&
  migration.cleanup.every((e) => e.state !== 'todo');
