import { type CleanupEntry, removalJobId } from '../../domain/cleanup.ts';
import { isJobEnded } from '../../domain/job/job.ts';
import type { Deps } from '../shared/deps.ts';
import { settleTries } from '../shared/settle-cleanup.ts';
import { dispatchRemoval, type EntryOwner } from '../workflow/dispatch/removal.ts';
import { lookAfterJob } from './lost-hosts.ts';

/** Dispatches the next try of every entry that is due and has none on its way. Waits for nobody. */
export const retryRemovals =
  (deps: Deps) =>
  async (owner: EntryOwner, entries: readonly CleanupEntry[]): Promise<void> => {
    await settleTries(deps)(owner, entries);
    for (const entry of entries) {
      if (entry.state !== 'todo' || entry.nextTryAtMs > deps.clock.nowMs()) continue;
      const job =
        entry.tries === 0
          ? undefined
          : await lookAfterJob(deps)(entry.placement.hostId, removalJobId(entry, entry.tries));
      if (job && (!isJobEnded(job) || job.stage.state === 'succeeded')) continue;
      await dispatchRemoval(deps)(owner, entry);
    }
  };
