import type { CleanupEntry } from '../../../domain/cleanup.ts';
import { isJobEnded } from '../../../domain/job/job.ts';
import type { Deps } from '../../shared/deps.ts';
import { settleTries } from '../../shared/settle-cleanup.ts';
import type { EntryOwner } from '../../workflow/dispatch/removal.ts';
import { pollUntil, type Wait } from '../agents/wait.ts';
import type { Became, Begun } from './begin.ts';

/** What becomes of removals that were begun, as far as it is known in time. */

const PENDING: Became = { state: 'pending', reason: null };
const REMOVED: Became = { state: 'removed', reason: null };

const keyOf = ({ migrationId, volumeId }: EntryOwner): string => migrationId ?? `volume ${volumeId}`;

type Entries = ReadonlyMap<string, readonly CleanupEntry[]>;

/** Takes over what the tries have come to, once for each owner however many of its objects are waited for. */
const settleAll = async (deps: Deps, begun: readonly Begun[]): Promise<Entries> => {
  const owners = new Map(begun.flatMap((one) => (one.kind === 'entry' ? [[keyOf(one.owner), one.owner]] : [])));
  const entries = new Map<string, readonly CleanupEntry[]>();
  for (const [key, owner] of owners) {
    await settleTries(deps)(owner);
    entries.set(key, await owner.entries());
  }
  return entries;
};

const ofEntry = (entry: CleanupEntry | undefined, tries: number): Became => {
  if (!entry || entry.state === 'done') return REMOVED;
  if (entry.state === 'dropped') return { state: 'refused', reason: 'its volume needs it' };
  return entry.failedTries < tries ? PENDING : { state: 'failed', reason: entry.lastFailure?.message ?? null };
};

const ofJob = async (deps: Deps, hostId: string, jobId: string): Promise<Became> => {
  const job = await deps.store.jobs.get(hostId, jobId);
  if (!job || !isJobEnded(job)) return PENDING;
  return job.stage.state === 'failed' ? { state: 'failed', reason: job.stage.failure.message } : REMOVED;
};

const look = async (deps: Deps, one: Begun, entries: Entries): Promise<Became> => {
  switch (one.kind) {
    case 'over':
      return one.became;
    case 'entry':
      return ofEntry(
        entries.get(keyOf(one.owner))?.find(({ objectName }) => objectName === one.objectName),
        one.tries,
      );
    case 'job':
      return ofJob(deps, one.hostId, one.jobId);
  }
};

/** In the order in which they were begun. What is not over in time goes on. */
export const whatBecame = async (deps: Deps, begun: readonly Begun[], wait: Wait): Promise<Became[]> => {
  let last: Became[] = [];
  await pollUntil(deps, wait, async () => {
    const entries = await settleAll(deps, begun);
    last = await Promise.all(begun.map((one) => look(deps, one, entries)));
    return last.every(({ state }) => state !== 'pending') || undefined;
  });
  return last;
};
