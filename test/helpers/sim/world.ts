import { volmoveError } from '../../../domain/error.ts';
import type { Placement } from '../../../domain/placement.ts';
import { GIB } from '../../../domain/volume/volume.ts';

/**
 * The storage behind the agents: objects with content, and which hosts are up. A volume's content is two chunks, each with the
 * number of the guest write that it carries, so that a copy can be torn; everything behind them is a hole.
 */

export type Content = [number, number];

export interface BackendObject {
  readonly name: string;
  readonly hostId: string;
  readonly sizeBytes: number;
  content: Content;
}

/** An export as the world sees it; the agents' own journals say more. */
interface Export {
  readonly objectName: string;
  /** Sealed, or meant to be: what it wrote to is read back from here on. */
  asked: boolean;
}

/** Sentences of design sections 3 and 4 that the agents keep; one switched off is a planted bug. */
export interface AgentRules {
  /** An export is closed for ever before the destination is read back or removed. */
  readonly seal: boolean;
  /** Writes of an older attempt are dropped. */
  readonly generations: boolean;
  /** What was removed is not made any more. */
  readonly tombstones: boolean;
}
export const ALL_RULES: AgentRules = { seal: true, generations: true, tombstones: true };

export interface AgentHost {
  readonly id: string;
  up: boolean;
  /** Frozen, not dead: what it was about to do it does when it wakes up. */
  paused: boolean;
  incarnation: number;
  readonly exports: Map<string, Export>;
}

/** A move that a backend makes by itself, by its destination: the source is out of everybody's sight until it goes back. */
export interface OwnMove {
  readonly source: BackendObject;
  isSynchronised: boolean;
}

export interface World {
  readonly objects: Map<string, BackendObject>;
  readonly ownMoves: Map<string, OwnMove>;
  /** The backend says of every move that it cannot make it. */
  refusesMoves: boolean;
  readonly hosts: ReadonlyMap<string, AgentHost>;
  readonly rules: AgentRules;
  /** What a guest would read that has never been betrayed. */
  readonly truth: Content;
  readonly host: (hostId: string) => AgentHost;
  /** An object of that name that is there already is this one. */
  readonly make: (place: Placement, name: string, sizeBytes?: number) => void;
  /** The guest's next write, through a path that it was given. False when the object is not there. */
  readonly guestWrites: (name: string) => boolean;
}

/** What was never written. */
export const NOTHING = -1;

export const digestOf = ([first, second]: Content): string => `${first}/${second}`;

export const createWorld = (hostIds: readonly string[], rules: AgentRules = ALL_RULES): World => {
  const objects = new Map<string, BackendObject>();
  const truth: Content = [0, 0];
  let guestWrite = 0;
  const hosts = new Map(
    hostIds.map((id): [string, AgentHost] => [id, { id, up: true, paused: false, incarnation: 1, exports: new Map() }]),
  );

  return {
    objects,
    ownMoves: new Map(),
    refusesMoves: false,
    hosts,
    rules,
    truth,
    host(hostId) {
      const found = hosts.get(hostId);
      if (!found) throw volmoveError('HostUnavailable', { host: hostId });
      return found;
    },
    make({ hostId }, name, sizeBytes = GIB) {
      if (!objects.has(name)) objects.set(name, { name, hostId, sizeBytes, content: [NOTHING, NOTHING] });
    },
    guestWrites(name) {
      guestWrite += 1;
      const chunk = guestWrite % 2 === 0 ? 0 : 1;
      truth[chunk] = guestWrite;
      const written = objects.get(name);
      if (written) written.content[chunk] = guestWrite;
      return written !== undefined;
    },
  };
};
