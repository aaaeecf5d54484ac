import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import type { PoolReport } from '../../domain/host/host.ts';
import type { BackendMoves } from './moves.ts';

/**
 * What a storage backend must be able to do (docs/drivers.md). Every call is idempotent and is given an AbortSignal; an object is
 * found by its name, which is never reused, and known by the backend's own `objectId`. Errors are VolmoveErrors of a small family:
 * BackendOffline and BackendTimedOut (try later: what was asked for may have happened, and is looked up then), NoSpace,
 * ObjectMissing, ObjectBusy, HasDependents, NameTaken, NotPermitted, ProgramMissing, ProgramUnfit, BackendRefused, IoError.
 */
export interface Driver {
  readonly kind: string;
  readonly poolNames: readonly string[];
  readonly capabilities: DriverCapabilities;
  /**
   * What keeps the backend from working: a program that is missing (with its package) or too old, a pool that is not there, a right
   * that is missing. Empty when all is well. Changes nothing.
   */
  probe(signal: AbortSignal): Promise<readonly Unwell[]>;
  /** The pools as they are now; a pool that cannot be reached is reported `offline` with the reason, never left out. */
  pools(signal: AbortSignal): Promise<PoolReport[]>;
  /**
   * Makes an object, durably. An object of that name that is there already is this one: names are never reused, so an
   * earlier try whose answer was lost made it.
   */
  create(request: CreateObject, signal: AbortSignal): Promise<CreatedObject>;
  /**
   * Makes an object larger, to `sizeBytes` at the least; one that is as large already stays as it is. It reads as zeroes where it
   * grew, if a new object of the pool would.
   */
  extend(object: ObjectName & { readonly sizeBytes: number }, signal: AbortSignal): Promise<FoundObject>;
  /** Undefined when the pool is online and has no such object. Also finds what volmove has not made, to be adopted. */
  find(object: ObjectName, signal: AbortSignal): Promise<FoundObject | undefined>;
  /**
   * What a removal would find, which is asked before it is wiped: undefined when there is nothing. Throws ObjectBusy as `remove`
   * would, of what is open, mapped, watched or not this object any more, and changes nothing.
   */
  removable(
    object: ObjectName & { readonly objectId: string | null },
    signal: AbortSignal,
  ): Promise<RemovableObject | undefined>;
  /**
   * False when there was nothing to remove, and nothing comes any more: a backend that goes on with a create after the process that
   * asked for it has died is waited for, or it is BackendOffline. Never forces the removal of something that is open: ObjectBusy.
   */
  remove(object: ObjectName & { readonly objectId: string | null }, signal: AbortSignal): Promise<boolean>;
  /**
   * What lies in the pool, in the order of the names. `ours`: what volmove has made, by the tag that this driver puts on it, also
   * what an interrupted create has left, and never what others keep there. `others`: what volmove could adopt and has not made.
   */
  list(request: ListObjects, signal: AbortSignal): Promise<ObjectPage>;
  /** A source is opened so that a guest can still open it. `fresh`: reads come from the storage, not from a cache, where that can be had. */
  open(object: ObjectName, mode: 'ro' | 'rw', signal: AbortSignal): Promise<OpenedDevice>;
  /** What it takes of its pool now; undefined when it is not there. Left out by a driver that cannot tell. */
  allocatedBytes?(object: ObjectName): Promise<number | undefined>;
  /** Where a guest on this host finds the object, an absolute path; null when there is no such path. */
  path(object: ObjectName): Promise<string | null>;
  /** Moves that the backend makes by itself. Left out: it makes none, everything is copied. */
  readonly moves?: BackendMoves;
}

export interface Unwell {
  /** Null: no pool works. */
  readonly pool: string | null;
  readonly problem: string;
}

export interface DriverCapabilities {
  /** The requirement's capability: progress of a move inside the backend is reported. False: there is no such move, or it is silent. */
  readonly migrationProgressReport: boolean;
}

export interface ObjectName {
  readonly pool: string;
  readonly objectName: string;
}

export interface RemovableObject {
  /** Its blocks go back to where nobody reads them before they were written again: there is nothing to wipe. */
  readonly thin: boolean;
  /** Where there is something to wipe: what its device calls a hole has no blocks. Left out: all of it has. */
  readonly onlyData?: boolean;
}

export interface ListObjects {
  readonly pool: string;
  /** Undefined: `ours`. */
  readonly what?: 'ours' | 'others';
  /** Names behind this one; null: from the first. */
  readonly after: string | null;
  readonly limit: number;
}

export interface ListedObject extends FoundObject {
  readonly objectName: string;
  /** Why it cannot be adopted as it is; undefined when it can. */
  readonly unfit?: string;
  /** Null where the backend keeps no such time; never earlier than the truth. */
  readonly madeAtMs: number | null;
}

export interface ObjectPage {
  readonly objects: readonly ListedObject[];
  /** There are others behind the last one. */
  readonly more: boolean;
}

export interface CreateObject extends ObjectName {
  readonly sizeBytes: number;
}

export interface FoundObject {
  readonly objectId: string;
  readonly sizeBytes: number;
}

export interface CreatedObject extends FoundObject {
  /** True only when this very object is known to read as zeroes from end to end. */
  readonly zero: boolean;
}

export interface OpenedDevice {
  readonly device: BlockDevice;
  /** How reads have been served up to now: `direct` passes the page cache by. Some file systems refuse that only when it comes to it. */
  readonly readback: 'direct' | 'cached';
  /**
   * Asked before another program writes to the object by its path, which nobody here sees: NoSpace when what is data of these ranges,
   * in ascending order, could fill the pool. Left out where a pool that is full refuses by itself.
   */
  readonly requireSpace?: (ranges: AsyncIterable<Extent>, signal: AbortSignal) => Promise<void>;
}
