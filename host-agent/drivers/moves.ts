import type { AttachDuringMove } from '../../domain/volume/volume.ts';
import type { FoundObject, ObjectName } from './contract.ts';

/**
 * Moves that a backend makes by itself, without a byte through the agent. The order is design section 4's: `start` and `poll` until
 * `synchronised`, from where nothing is lost either way; then the control plane switches the claim over, and from there it only goes
 * forward: `finish`. Before that, `abort` is the way back. Every call is idempotent; after a death of the agent `recover` is asked
 * first, and tells from the backend alone what stands there.
 */
export interface BackendMoves {
  /**
   * `safe`: a guest that opens the volume while it moves finds its bytes, and its writes move along. `forbidden`: it would find
   * nothing, or lose writes.
   */
  readonly attachDuringMove: AttachDuringMove;
  /** The bytes stay where they are, so the destination needs no room. */
  readonly takesNoSpace?: true;
  /**
   * Asked before anything is changed. No: the volume is copied. What speaks against a copy as well is thrown: ObjectMissing, and
   * ObjectBusy of what is open or another object by now.
   */
  canMove(move: BackendMove, signal: AbortSignal): Promise<Movable>;
  /** Begins the move. One that was begun already is left as it is. */
  start(move: BackendMove, signal: AbortSignal): Promise<void>;
  poll(move: BackendMove, signal: AbortSignal): Promise<MoveState>;
  /** Switches over for good, and gives the source up. Done already: the same answer. */
  finish(move: BackendMove, signal: AbortSignal): Promise<FoundObject>;
  /**
   * The source is what and where it was before `start`; nothing of the destination is left. Nothing begun: nothing to do, also while
   * the destination's pool is away. Finished: BackendRefused.
   */
  abort(move: BackendMove, signal: AbortSignal): Promise<void>;
  /** What stands there; whatever of it died with the agent is under way again. */
  recover(move: BackendMove, signal: AbortSignal): Promise<MoveState>;
}

export interface BackendMove {
  readonly source: ObjectName & { readonly objectId: string };
  /** Named for this run; made by the move. */
  readonly destination: ObjectName;
  readonly sizeBytes: number;
}

export type Movable = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export type MoveState =
  | { readonly state: 'none' }
  /** `percent` is null while, or where, the backend does not tell. */
  | { readonly state: 'running'; readonly percent: number | null }
  | { readonly state: 'synchronised' }
  | { readonly state: 'failed'; readonly reason: string }
  /** It has been switched over. */
  | { readonly state: 'finished'; readonly object: FoundObject };
