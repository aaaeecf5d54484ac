import { volmoveError } from '../../../domain/error.ts';
import type { Placement } from '../../../domain/placement.ts';

/**
 * The storage behind the agents: objects with content, exports with their generations, and what each agent keeps on its disk.
 * A volume's content is two chunks, each with the number of the guest write that it carries, so that a copy can be torn.
 */

export type Content = [number, number];

export interface BackendObject {
  readonly name: string;
  readonly hostId: string;
  content: Content;
}

interface Export {
  readonly objectName: string;
  generation: number;
  sealed: boolean;
  /** Opened for one repair: only generations above this one are let in; once one was, the next seal is for ever. */
  repairAbove: number | null;
  /** Sealed for the removal of its object: nothing opens it any more. */
  buried: boolean;
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
  readonly tombstones: Set<string>;
  readonly exports: Map<string, Export>;
}

export interface World {
  readonly objects: Map<string, BackendObject>;
  readonly hosts: ReadonlyMap<string, AgentHost>;
  /** What a guest would read that has never been betrayed. */
  readonly truth: Content;
  readonly host: (hostId: string) => AgentHost;
  readonly make: (place: Placement, name: string) => void;
  readonly admit: (hostId: string, exportName: string, objectName: string) => void;
  readonly readChunk: (name: string, chunk: 0 | 1) => number;
  /** A write through an export. Throws when the export does not take it. */
  readonly writeChunk: (hostId: string, exportName: string, attempt: number, chunk: 0 | 1, value: number) => void;
  /** Closes an export for ever; the generation that it had. */
  readonly seal: (hostId: string, exportName: string) => number;
  /** Lets generations above the sealed one in, once. Throws when that may not be. */
  readonly openForRepair: (hostId: string, exportName: string, generation: number) => void;
  readonly bury: (hostId: string, name: string) => void;
  readonly remove: (name: string) => boolean;
  /** The guest's next write, through a path that it was given. False when the object is not there. */
  readonly guestWrites: (name: string) => boolean;
}

const missing = (name: string, place: string) => volmoveError('ObjectMissing', { object: name, place });
const refused = (reason: string) => volmoveError('PeerRefused', { reason });

export const digestOf = ([first, second]: Content): string => `${first}/${second}`;

export const createWorld = (hostIds: readonly string[], rules: AgentRules = ALL_RULES): World => {
  const objects = new Map<string, BackendObject>();
  const truth: Content = [0, 0];
  let guestWrite = 0;
  const hosts = new Map(
    hostIds.map((id): [string, AgentHost] => [
      id,
      { id, up: true, paused: false, incarnation: 1, tombstones: new Set(), exports: new Map() },
    ]),
  );
  const host = (hostId: string): AgentHost => {
    const found = hosts.get(hostId);
    if (!found) throw volmoveError('HostUnavailable', { host: hostId });
    return found;
  };
  const object = (name: string): BackendObject => {
    const found = objects.get(name);
    if (!found) throw missing(name, 'any pool');
    return found;
  };

  return {
    objects,
    hosts,
    truth,
    host,
    make({ hostId }, name) {
      if (rules.tombstones && host(hostId).tombstones.has(name))
        throw volmoveError('ObjectTombstoned', { object: name });
      if (!objects.has(name)) objects.set(name, { name, hostId, content: [-1, -1] });
    },
    admit(hostId, exportName, objectName) {
      const { exports } = host(hostId);
      if (!exports.has(exportName))
        exports.set(exportName, {
          objectName,
          generation: 0,
          sealed: false,
          repairAbove: null,
          buried: false,
          asked: false,
        });
    },
    readChunk: (name, chunk) => object(name).content[chunk],
    writeChunk(hostId, exportName, attempt, chunk, value) {
      const open = host(hostId).exports.get(exportName);
      if (!open) throw refused(`there is no export ${exportName}`);
      if (open.sealed) throw refused(`the export ${exportName} is sealed`);
      if (rules.generations && (attempt < open.generation || attempt <= (open.repairAbove ?? 0)))
        throw refused(`attempt ${attempt} is an old one`);
      open.generation = Math.max(open.generation, attempt);
      object(open.objectName).content[chunk] = value;
    },
    seal(hostId, exportName) {
      const open = host(hostId).exports.get(exportName);
      if (!open) throw volmoveError('NoProof', { reason: 'this host has no export of that run to seal' });
      open.asked = true;
      if (rules.seal) open.sealed = true;
      return open.generation;
    },
    openForRepair(hostId, exportName, generation) {
      const open = host(hostId).exports.get(exportName);
      const wasRepaired = open?.repairAbove !== null && open?.repairAbove !== open?.generation;
      if (!open || open.buried || open.generation !== generation || wasRepaired || (rules.seal && !open.sealed))
        throw volmoveError('NoProof', { reason: `the export ${exportName} may not be repaired` });
      Object.assign(open, { sealed: false, repairAbove: generation, asked: false });
    },
    bury(hostId, name) {
      const { tombstones, exports } = host(hostId);
      tombstones.add(name);
      for (const open of exports.values())
        if (rules.seal && open.objectName === name) Object.assign(open, { sealed: true, buried: true });
    },
    remove: (name) => objects.delete(name),
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
