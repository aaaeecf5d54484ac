import { DataPathError } from '../../../../host-agent/device/errors.ts';
import type { LiveExports } from '../../../../host-agent/nbd/live-exports.ts';
import type { ResolveExport } from '../../../../host-agent/nbd/server-handshake.ts';
import type { Thread, Turns } from '../turns.ts';
import type { Actors } from './actors.ts';
import type { Sleepers } from './sleepers.ts';

/** Who talks over the network between agents. */
export interface Server {
  readonly exports: LiveExports;
  readonly resolve: ResolveExport;
  /** Its open connections; all of them break when it dies or loses its lease. */
  readonly links: Set<Link>;
  /** A thread of its process, for what one connection asks. */
  readonly newThread: (what: string) => Thread;
  /** Waits until the process is no longer frozen. */
  readonly awake: () => Promise<void>;
}

export interface Client {
  readonly hostId: string;
  readonly fingerprint: string;
  readonly sleepers: Sleepers;
  /** False when its process has died: nobody is told anything any more. */
  readonly lives: () => boolean;
}

export interface NetworkParts {
  readonly turns: Turns;
  readonly actors: Actors;
  /** The agent that listens there now; undefined: nobody. */
  readonly serverOf: (hostId: string) => Server | undefined;
}

export interface Link {
  /** The server's end: what has not arrived yet never will. */
  readonly destroy: () => void;
}

export const lost = (why: string): DataPathError => new DataPathError('ConnectionLost', why);
