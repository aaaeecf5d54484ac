import type { Command } from '../measure/launch.ts';
import type { ServerCommand } from '../measure/server.ts';

/** Somebody who copies: a peer or we, as the commands that do it. */
export interface Place {
  readonly source: string;
  readonly destination: string;
  readonly sizeBytes: number;
  /** On loopback, for a server. */
  readonly port: number;
  /** A server writes it when it is ready. */
  readonly readyFile: string;
  /** Certificates of both sides, under the names that NBD tools look for. */
  readonly tlsDirectory: string;
  /** The file system can share blocks between files instead of copying them. */
  readonly reflinks: boolean;
  /** Our own program, ready to run. */
  readonly ours: string;
}

export type Step =
  /** The clock runs. */
  | { readonly kind: 'run'; readonly command: Command }
  /** It stands still while both files leave the page cache, so that what follows reads from the disk. */
  | { readonly kind: 'drop-caches' };

export interface Contender {
  readonly name: string;
  readonly side: 'ours' | 'peer';
  /** Programs that must be installed. */
  readonly needs: readonly string[];
  /** The destination must be there before, empty and of the volume's size, because the tool or its server does not make it. */
  readonly needsDestination: boolean;
  /** Started before the clock is; its CPU time counts. */
  readonly server?: (place: Place) => ServerCommand;
  readonly steps: (place: Place) => readonly Step[];
}

export const runs = (...argv: string[]): Step => ({ kind: 'run', command: { argv } });
export const DROP_CACHES: Step = { kind: 'drop-caches' };
