import type { CleanupEntry } from '../cleanup.ts';
import type { Failure } from '../error.ts';
import type { ObjectRef, ObjectReference, Placement } from '../placement.ts';
import type { Priority } from '../priority.ts';

/** The statuses of the Block Storage API that volmove uses. */
export const VOLUME_STATUSES = [
  'creating',
  'managing',
  'available',
  'reserved',
  'attaching',
  'in-use',
  'detaching',
  'maintenance',
  'deleting',
  'error',
  'error_deleting',
  'error_managing',
] as const;
export type VolumeStatus = (typeof VOLUME_STATUSES)[number];

/** State or result of the volume's last migration; null when there was none or it was reset. */
export const MIGRATION_STATUSES = ['starting', 'migrating', 'completing', 'success', 'error'] as const;
export type MigrationStatus = (typeof MIGRATION_STATUSES)[number] | null;

/** How a migration proves that what is stored at the destination equals the source. */
export type Verify = 'full' | 'none';

/** What moves the bytes: volmove's own engine, or dd(1) between two paths of one host. */
export type CopyEngine = 'volmove' | 'dd';

/** What the administrator asked of one migration; fixed with the claim. */
export interface MigrationOptions {
  readonly lock: boolean;
  readonly forceHostCopy: boolean;
  readonly verify: Verify;
  /** How long the source is kept after success, in seconds; 0 removes it at once. */
  readonly sourceRetentionSeconds: number;
  /** How long what a failed run has copied is kept for a retry, in seconds; undefined, 0: it is removed at once. */
  readonly destinationRetentionSeconds?: number;
  /** What the volume has left is overwritten before it is removed, where its backend is thick. */
  readonly wipe?: true;
  /** Seconds between progress reports; undefined: the agent's own setting. */
  readonly progressIntervalSeconds?: number;
  /** Bytes a second; undefined: no limit of the migration's own. */
  readonly bandwidthBytesPerSecond?: number;
  /** Undefined: `volmove`. */
  readonly copyEngine?: CopyEngine;
  /** Undefined: `normal`. */
  readonly priority?: Priority;
}

/** A destination that a run has begun to write: what a retry may go on with. */
export interface BegunDestination {
  readonly object: ObjectRef;
  /** The run whose copy has written to it last: that copy's checkpoint speaks of it. */
  readonly run: number;
  /** Of the volume when that copy began: a checkpoint of another epoch is void. */
  readonly writeEpoch: number;
}

/**
 * The right of one run of one migration to move the volume. Exactly one of finalize and release ends it. `fence` is the
 * volume's fence when the claim was made: any request that could give a guest a path raises the volume's, so a claim whose
 * fence differs can no longer finalize.
 */
export interface Claim {
  readonly migrationId: string;
  readonly run: number;
  readonly fence: number;
  readonly lock: boolean;
  /** `switching`: the backend is switching over; from here it only goes forward. */
  readonly phase: 'moving' | 'switching';
  readonly destination: Placement;
  readonly options: MigrationOptions;
  /** The status to give back when the claim ends, for a locked volume. */
  readonly previousStatus: VolumeStatus;
  /** Set on a run that the reconciler started: it goes straight to ReleaseClaim, for this reason. */
  readonly rollback: Failure | null;
  /** A retry's: the destination that it took out of `retained[]` and goes on with. Undefined: the run makes an object of its own. */
  readonly carriesOn?: BegunDestination;
  /** The backend has said no: the run is a copy, whoever comes late with a move. */
  readonly copies?: true;
  /** Noted before the backend is asked to move the volume by itself: until it is undone or finished, the claim cannot just end. */
  readonly move?: ClaimedMove;
  /** Noted before the copy when it is to be kept for a retry: whatever ends the claim keeps it in the same write. */
  readonly begun?: BegunDestination;
  readonly claimedAtMs: number;
  /** When the run before was taken over; undefined: the claim is still of the run that was asked for. */
  readonly raisedAtMs?: number;
}

/** A move inside a backend (design section 4), as it was begun by the run that noted it or by one before. */
export interface ClaimedMove {
  /** Whose agent talks to the backend. */
  readonly hostId: string;
  readonly source: ObjectRef;
  /** As that host's backend calls the destination's pool, and the object that the move makes. */
  readonly destination: { readonly pool: string; readonly objectName: string };
  readonly attachDuringMove: AttachDuringMove;
  /** Nothing was reserved for it. */
  readonly takesNoSpace?: true;
  /** Why it goes back: whoever comes late and would switch over finds that it may not. */
  readonly undoing?: Failure;
}

/** `safe`: a guest finds its bytes while they move, and loses none. `forbidden`: it would. */
export type AttachDuringMove = 'safe' | 'forbidden';

/** How the last claim ended. It is on the volume first; everything else is derived from it and can be done again. */
export type Outcome = {
  readonly migrationId: string;
  readonly run: number;
  readonly atMs: number;
} & (
  | { readonly result: 'success'; readonly proof: Proof; readonly source: ObjectRef }
  | {
      readonly result: 'error';
      readonly reason: Failure;
      /** The name of the destination that the same write has put into `retained[]`. */
      readonly kept?: string;
    }
);

/** Why Finalize may believe that the destination holds the volume. */
export type Proof =
  | { readonly kind: 'digest'; readonly digest: string; readonly writeEpoch: number; readonly generation: number }
  | { readonly kind: 'backend' }
  | { readonly kind: 'none'; readonly writeEpoch: number };

export interface Connection {
  readonly id: string;
  readonly host: string;
  readonly atMs: number;
}

export interface Attachment {
  readonly id: string;
  readonly instanceId: string | null;
  readonly hostName: string | null;
  readonly mountpoint: string;
  readonly mode: 'rw' | 'ro';
  readonly atMs: number;
}

/** A backend object that is kept although the volume does not live on it. It is never removed while it stands here. */
export interface Retained {
  readonly object: ObjectRef;
  readonly kind: 'source' | 'destination';
  readonly migrationId: string;
  readonly run: number;
  readonly expiresAtMs: number;
  /** The volume's writeEpoch when the object was left, of a destination when its copy began: restore asks for discard_changes when it has moved since. */
  readonly writeEpoch: number;
  readonly wipe?: true;
  /** Set on what the volume lived on until a restore: the migration's story is told from it before it goes. */
  readonly restored?: Restored;
}

/** The volume went back to its migration's source. */
export interface Restored {
  readonly atMs: number;
  readonly by: string;
  /** It may have been written to since it had left its source. */
  readonly discarded: boolean;
}

/** Of a volume that was not made but taken over: which object, since then by its name. It stays when the volume has moved on. */
export interface Adopted {
  /** Of the pool that the object lay in, whichever host serves it. */
  readonly poolId: string;
  readonly reference: ObjectReference;
}

export interface Volume {
  readonly id: string;
  readonly projectId: string;
  readonly userId: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly sizeBytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: VolumeStatus;
  readonly migrationStatus: MigrationStatus;
  /** Where the volume is meant to be made; kept for `creating` and `error` volumes that have no location. */
  readonly placement: Placement;
  readonly location: ObjectRef | null;
  readonly adopted?: Adopted;
  readonly claim: Claim | null;
  readonly lastOutcome: Outcome | null;
  readonly connections: readonly Connection[];
  readonly attachments: readonly Attachment[];
  readonly retained: readonly Retained[];
  /** Objects that a delete has given up; the volume's item stays until they are gone. */
  readonly cleanup: readonly CleanupEntry[];
  /** Raised by claim, release, finalize, and every request that can give a guest a path. */
  readonly fence: number;
  /** Raised by everything that may let bytes change; checkpoints and digests of another epoch are void. */
  readonly writeEpoch: number;
  /** Counts creates and deletes; part of their executions' and objects' names, which are never reused. */
  readonly operation: number;
  readonly lastError: Failure | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export const GIB = 1024 ** 3;
/** Largest volume, in GiB. */
export const MAX_SIZE_GIB = 65_536;
export const sizeGib = (volume: Pick<Volume, 'sizeBytes'>): number => Math.ceil(volume.sizeBytes / GIB);

/** True while (migrationId, run) may still act on the volume. */
export const holdsClaim = (
  volume: Volume | undefined,
  migrationId: string,
  run: number,
): volume is Volume & { claim: Claim } => volume?.claim?.migrationId === migrationId && volume.claim.run === run;
