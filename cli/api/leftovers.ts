import type { Transport } from './transport.ts';

/** Leftovers as the service tells them. Times are ISO 8601 in UTC. */

export interface Leftover {
  readonly object: string;
  readonly host: string;
  /** The backend's own id; null while it is not known. */
  readonly id: string | null;
  /** `leftover`: nobody refers to it. `unknown`: the service cannot tell whose it is. The others are being removed. */
  readonly state: 'pending' | 'needs_you' | 'leftover' | 'unknown';
  readonly why: string;
  readonly volume_id: string | null;
  readonly migration_id: string | null;
  readonly size_bytes: number | null;
  readonly made_at: string | null;
  readonly tries: number;
  readonly reason: string | null;
  readonly next_try_at: string | null;
}

interface NotAsked {
  readonly host: string;
  readonly reason: string;
}

interface ScanAnswer {
  readonly leftovers: readonly Leftover[];
  readonly not_asked: readonly NotAsked[];
  readonly unfinished: readonly { readonly host: string; readonly after: string | null }[];
}

export interface Leftovers {
  readonly leftovers: readonly Leftover[];
  readonly not_asked: readonly NotAsked[];
}

/** By its name alone where a migration or volume remembers it, else with where it is. */
export interface RemovalAsked {
  readonly object: string;
  readonly host?: string;
  readonly id?: string;
}

export interface Removal {
  readonly object: string;
  readonly host: string | null;
  readonly state: 'removed' | 'pending' | 'failed' | 'refused';
  readonly reason: string | null;
}

export interface CleanupCalls {
  readonly leftovers: () => Promise<Leftovers>;
  /** `unknown`: also what the service cannot tell whose it is. */
  readonly removeLeftovers: (objects: readonly RemovalAsked[], unknown: boolean) => Promise<Removal[]>;
}

const SCAN = '/cleanup/scan';
const REMOVE = '/cleanup/remove';
/** The service takes so many in one request; and waits for all of them together. */
const REMOVED_AT_ONCE = 50;

export const cleanupCalls = (
  call: Transport,
  member: <T>(body: unknown, name: string, path: string) => T,
): CleanupCalls => ({
  leftovers: async () => {
    const found: Leftover[] = [];
    const notAsked: NotAsked[] = [];
    let pools: ScanAnswer['unfinished'] | undefined;
    do {
      const body = await call(SCAN, { method: 'POST', body: { scan: pools === undefined ? {} : { pools } } });
      found.push(...member<ScanAnswer['leftovers']>(body, 'leftovers', SCAN));
      notAsked.push(...member<ScanAnswer['not_asked']>(body, 'not_asked', SCAN));
      pools = member<ScanAnswer['unfinished']>(body, 'unfinished', SCAN);
    } while (pools.length > 0);
    return { leftovers: found, not_asked: notAsked };
  },
  removeLeftovers: async (objects, unknown) => {
    const became: Removal[] = [];
    for (let i = 0; i < objects.length; i += REMOVED_AT_ONCE) {
      const remove = { objects: objects.slice(i, i + REMOVED_AT_ONCE), unknown };
      became.push(...member<Removal[]>(await call(REMOVE, { method: 'POST', body: { remove } }), 'objects', REMOVE));
    }
    return became;
  },
});
