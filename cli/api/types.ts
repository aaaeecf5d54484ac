import type { Priority } from '../../domain/priority.ts';

/** The API's resources as they travel; names are the wire's (docs of the HTTP API). Times are ISO 8601 in UTC. */

export interface Attachment {
  readonly id: string;
  readonly attachment_id?: string;
  readonly host_name?: string | null;
  readonly server_id?: string | null;
  readonly device?: string | null;
}

export interface Volume {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  /** GiB. */
  readonly size: number;
  readonly migration_status?: string | null;
  readonly 'os-vol-host-attr:host'?: string | null;
  readonly attachments: readonly Attachment[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at: string;
}

export interface Queue {
  readonly position: number;
  readonly of: number;
  readonly waiting_for: 'host' | 'backend';
  readonly host: string;
  readonly backend: string;
}

export interface Progress {
  readonly phase: string;
  readonly done_bytes: number;
  readonly total_bytes: number;
  readonly percent: number;
  readonly rate_bytes_per_second: number;
  readonly eta_seconds: number | null;
  readonly attempt: number;
  readonly at: string | null;
  readonly stale: boolean;
  readonly stalled_since: string | null;
  /** The phase, `zeroing`, `queued` or `paused`; null when nobody is at it. */
  readonly activity: string | null;
  /** Null unless it waits for a place at its host; left out by a service that does not tell. */
  readonly queue?: Queue | null;
  readonly zeroing: { readonly done_bytes: number; readonly total_bytes: number } | null;
}

export interface Reason {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface Leftover {
  readonly object: string;
  readonly host: string;
  readonly tries: number;
  /** Of the last try that failed. */
  readonly reason: string | null;
  /** Null while a try is under way. */
  readonly next_try_at?: string | null;
}

export interface Cleanup {
  readonly state: 'none' | 'pending' | 'needs_you' | 'done';
  readonly left: readonly Leftover[];
}

/** An object that the volume does not live on and that is not removed yet. */
export interface Kept {
  readonly role: 'source' | 'destination';
  readonly object: string;
  readonly host: string;
  readonly until: string;
}

export interface StoryEntry {
  readonly at: string;
  readonly run: number;
  readonly who: string;
  readonly from: string;
  readonly to: string;
  readonly why: string | null;
}

export const MIGRATION_STATES = ['requested', 'running', 'succeeded', 'failed', 'refused'] as const;
export type MigrationState = (typeof MIGRATION_STATES)[number];

export interface Migration {
  readonly id: string;
  readonly volume_id: string;
  readonly volume_name: string | null;
  readonly project_id: string;
  readonly state: MigrationState;
  readonly phase: string;
  readonly run: number;
  readonly source: string;
  readonly destination: string;
  readonly locked: boolean;
  /** Left out by a service that knows no other than its own. */
  readonly copy_engine?: 'volmove' | 'dd';
  /** For how long what a failed run has copied is kept; left out by a service that keeps nothing. */
  readonly destination_retention_seconds?: number;
  readonly size_bytes: number;
  readonly progress: Progress | null;
  readonly reason: Reason | null;
  readonly requested_by: string;
  readonly requested_at: string;
  readonly ended_at: string | null;
  readonly cancel_wished: boolean;
  /** The wish; the progress tells when everything has settled. */
  readonly paused: { readonly by: string; readonly at: string } | null;
  /** Null: no limit of its own. */
  readonly bandwidth_bytes_per_second: number | null;
  /** Left out by a service that knows none. */
  readonly priority?: Priority;
  readonly cleanup: Cleanup;
  /** What its volume keeps of it; left out by a service that does not tell. */
  readonly kept?: readonly Kept[];
  /** When the volume went back to its source. */
  readonly restored_at?: string | null;
  /** `cached`: the destination was read back through the page cache, because it could not be passed by. */
  readonly verified: 'direct' | 'cached' | 'none' | null;
  readonly digests: { readonly source: string | null; readonly destination: string | null } | null;
  readonly bytes_read: number | null;
  readonly bytes_written: number | null;
  readonly story: readonly StoryEntry[];
  /** Null for one that was refused: it never began. */
  readonly execution: string | null;
}

export interface MigrationRequest {
  readonly volume_id: string;
  readonly destination: string;
  readonly lock: boolean;
  readonly verify: 'full' | 'none';
  readonly dry_run: boolean;
  readonly source_retention_seconds?: number;
  readonly destination_retention_seconds?: number;
  readonly wipe?: boolean;
  readonly bandwidth_bytes_per_second?: number;
  readonly priority?: Priority;
  readonly copy_engine?: 'volmove' | 'dd';
}

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  readonly remedy: string | null;
}

export interface Host {
  readonly id: string;
  readonly state: 'up' | 'down';
  readonly version: string;
  readonly address: string;
  readonly heartbeat_at: string | null;
  readonly concurrency: number;
  readonly backends: readonly {
    readonly name: string;
    readonly driver: string;
    readonly pools: readonly {
      readonly name: string;
      readonly place: string;
      readonly state: string;
      readonly total_bytes: number | null;
      readonly free_bytes: number | null;
    }[];
  }[];
}

/** Capacities are GiB, or the standard's words `infinite` and `unknown`. */
export interface Pool {
  readonly name: string;
  readonly capabilities: {
    readonly driver?: string;
    readonly backend_state?: string;
    readonly total_capacity_gb?: number | string;
    readonly free_capacity_gb?: number | string;
    readonly allocated_capacity_gb?: number | string;
    readonly migration_progress_report?: boolean | string;
  };
}

export interface MigrationEvent {
  readonly detail_type: string;
  readonly detail: Readonly<Record<string, unknown>> & {
    readonly event_type: string;
    readonly sequence: number;
    readonly at: string;
  };
}

export const volumePlace = (volume: Volume): string => volume['os-vol-host-attr:host'] ?? '-';
export const volumeLabel = (volume: Pick<Volume, 'id' | 'name'>): string => volume.name || volume.id;
export const migrationLabel = (migration: Pick<Migration, 'volume_id' | 'volume_name'>): string =>
  migration.volume_name || migration.volume_id;
