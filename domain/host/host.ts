import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import type { Places } from '../job/queue.ts';
import type { Placement } from '../placement.ts';
import type { AttachDuringMove } from '../volume/volume.ts';

/** A storage server's agent as it registered, and the pools that it reported with its last heartbeat. */

export interface PoolReport {
  readonly name: string;
  /** Identity of the real pool: two hosts that serve the same share report the same one. */
  readonly poolId: string;
  /** Pools with the same one can be moved between by the backend itself; left out: by nobody but the agents. */
  readonly systemId?: string;
  readonly state: 'up' | 'offline';
  readonly reason: string | null;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** What each destination that is being written may still take, by its reservation; no younger than `freeBytes`. */
  readonly growing?: Readonly<Record<string, number>>;
  /** Sum of the virtual sizes of what was made there. */
  readonly provisionedBytes: number;
  readonly thin: boolean;
  /** Of a thin pool that promises no more than so many times of what it has; left out: nobody keeps count. */
  readonly maxOverSubscriptionRatio?: number;
  /** Where a guest on this host finds an object of the pool, with `{object}` for its name; null when there is no such path. */
  readonly devicePath: string | null;
}

/** The path of an object on its host, or null. */
export const devicePathOf = (
  host: Host | undefined,
  object: Placement & { readonly objectName: string },
): string | null => (host && findPool(host, object)?.devicePath?.replace('{object}', object.objectName)) ?? null;

export interface BackendReport {
  readonly name: string;
  readonly driver: string;
  /** The requirement's capability: progress of a move inside the backend is reported. */
  readonly migrationProgressReport: boolean;
  /** Undefined: the backend makes no moves by itself. */
  readonly attachDuringMove?: AttachDuringMove;
  /** Such a move leaves the volume where its bytes are. */
  readonly moveTakesNoSpace?: true;
  /** Copies and read-backs at once; undefined: as many as the host may run. */
  readonly concurrency?: number;
  readonly pools: readonly PoolReport[];
}

export interface Host {
  readonly id: string;
  /** New with each start of an agent: what an older one still writes is refused. */
  readonly incarnation: string;
  /** Identity of the agent's data directory; its holder is accepted at once after a restart. */
  readonly dataDirId: string;
  /** Where its exports listen, `host:port`, and the SHA-256 fingerprint of its certificate. */
  readonly address: string;
  readonly fingerprint: string;
  readonly version: string;
  readonly heartbeatMs: number;
  readonly backends: readonly BackendReport[];
  readonly concurrency: number;
  readonly migrationProgressReportIntervalSeconds: number;
  readonly registeredAtMs: number;
  readonly heartbeatAtMs: number;
  /** Set by a graceful stop: the host is down at once, without waiting for missed heartbeats. */
  readonly stoppedAtMs: number | null;
}

/** How many copies and read-backs the host's agent runs at once. */
export const placesOf = ({ concurrency, backends }: Pick<Host, 'concurrency' | 'backends'>): Places => ({
  host: concurrency,
  backends: Object.fromEntries(
    backends.flatMap(({ name, concurrency: limit }) => (limit === undefined ? [] : [[name, limit]])),
  ),
});

/** Missed heartbeats after which a twin may take over, and after which the host counts as down. */
export const MISSED_BEATS_TAKEOVER = 5;
/** Missed heartbeats after which an agent stops its own I/O, by its monotonic clock: before anybody else takes over. */
export const MISSED_BEATS_STOP = 3;

export const isUp = (host: Host, nowMs: number): boolean =>
  host.stoppedAtMs === null && nowMs - host.heartbeatAtMs < MISSED_BEATS_TAKEOVER * host.heartbeatMs;

export const lostForMs = (host: Host, nowMs: number): number => Math.max(0, nowMs - host.heartbeatAtMs);

/** Nobody is given up before he counts as down, however rarely he beats. */
export const lostAfterMs = ({ heartbeatMs }: Host, hostLostAfterMs: number): number =>
  Math.max(hostLostAfterMs, MISSED_BEATS_TAKEOVER * heartbeatMs);

/** A new incarnation: accepted when the old one is gone, or at once when it holds the old one's data directory. */
export const register =
  (mine: Host) =>
  (host: Host): Decision<Host> => {
    if (host.incarnation === mine.incarnation) return already(host);
    if (host.dataDirId !== mine.dataDirId && isUp(host, mine.registeredAtMs)) {
      return refuse(volmoveError('AgentSuperseded', { hostId: mine.id }));
    }
    return write(mine);
  };

export interface Heartbeat {
  readonly incarnation: string;
  readonly backends: readonly BackendReport[];
  readonly nowMs: number;
}

export const beat =
  ({ incarnation, backends, nowMs }: Heartbeat) =>
  (host: Host): Decision<Host> =>
    host.incarnation === incarnation
      ? write({ ...host, backends, heartbeatAtMs: nowMs })
      : refuse(volmoveError('AgentSuperseded', { hostId: host.id }));

export const stopHost =
  (incarnation: string, nowMs: number) =>
  (host: Host): Decision<Host> =>
    host.incarnation === incarnation && host.stoppedAtMs === null
      ? write({ ...host, stoppedAtMs: nowMs })
      : already(host);

/** Every pool of a host as the place that a request would name. */
export const poolsOf = (
  host: Host,
): { readonly place: Placement; readonly backend: BackendReport; readonly pool: PoolReport }[] =>
  host.backends.flatMap((backend) =>
    backend.pools.map((pool) => ({
      place: { hostId: host.id, backend: backend.name, pool: pool.name },
      backend,
      pool,
    })),
  );

export const findPool = (host: Host, place: Placement): PoolReport | undefined =>
  host.backends.find((b) => b.name === place.backend)?.pools.find((p) => p.name === place.pool);
