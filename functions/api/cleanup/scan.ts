import { isUp } from '../../../domain/host/host.ts';
import { formatPlacement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { waitFrom } from '../agents/wait.ts';
import { askPool } from './ask-pool.ts';
import { type Candidate, candidatesOf, type InPool } from './candidates.ts';
import { type NotAsked, type PoolCursor, poolsToAsk } from './pools.ts';
import { type Tracked, trackedEntries } from './tracked.ts';

export interface Scan {
  readonly projectId: string;
  /** Where an earlier scan has stopped; undefined: every pool from its first object, and what is known to be left. */
  readonly pools: readonly PoolCursor[] | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Scanned {
  readonly tracked: readonly Tracked[];
  /** Hosts that are down, whose entries wait for them. */
  readonly down: ReadonlySet<string>;
  readonly inPools: readonly InPool[];
  readonly candidates: readonly Candidate[];
  readonly notAsked: readonly NotAsked[];
  readonly unfinished: readonly PoolCursor[];
}

/** A request asks so many pools for a page each; what is more is unfinished, and asked for by the next. */
const POOLS_AT_ONCE = 8;

/** What is left, in three parts: what is known, what lies in the pools and nobody wants, and which pools could not be asked. */
export const scan =
  (deps: Deps) =>
  async ({ projectId, pools, signal }: Scan): Promise<Scanned> => {
    const wait = waitFrom(deps, signal);
    const hosts = await deps.store.hosts.all();
    const nowMs = deps.clock.nowMs();
    const toAsk = pools ? { pools, notAsked: [] } : poolsToAsk(hosts, nowMs);
    const asked = toAsk.pools.slice(0, POOLS_AT_ONCE);
    const answers = await Promise.all(
      asked.map(async (cursor) => ({
        ...cursor,
        answer: await askPool(deps)(cursor.place, cursor.after, projectId, wait),
      })),
    );
    const inPools: InPool[] = [];
    const notAsked: NotAsked[] = [...toAsk.notAsked];
    const unfinished: PoolCursor[] = [];
    for (const { place, answer } of answers) {
      if (!answer.ok) {
        notAsked.push({ host: formatPlacement(place), reason: answer.reason });
        continue;
      }
      const { objects, more } = answer.page;
      inPools.push(...objects.map((object) => ({ place, object })));
      const last = objects.at(-1);
      if (more && last) unfinished.push({ place, after: last.objectName });
    }
    // read after the pools: what was given up meanwhile is known by now
    const tracked = await trackedEntries(deps);
    const known = new Set(tracked.map(({ entry }) => entry.objectName));
    const candidates = await candidatesOf(deps)(inPools.filter(({ object }) => !known.has(object.objectName)));
    return {
      tracked: pools ? [] : tracked,
      down: new Set(hosts.filter((host) => !isUp(host, nowMs)).map((host) => host.id)),
      inPools,
      candidates,
      notAsked,
      unfinished: [...unfinished, ...toAsk.pools.slice(POOLS_AT_ONCE)],
    };
  };
