import { removalJobId } from '../../domain/cleanup.ts';
import type { Deps } from '../shared/deps.ts';
import { settleTries } from '../shared/settle-cleanup.ts';
import { dispatchRemoval, type EntryOwner } from '../workflow/dispatch/removal.ts';
import { lookAfterJob } from './lost-hosts.ts';

/** Dispatches the next try of every entry that is due and has none on its way. Waits for nobody. */
export const retryRemovals =
  (deps: Deps) =>
  async (owner: EntryOwner): Promise<void> => {
    await settleTries(deps)(owner);
    for (const entry of await owner.entries()) {
      if (entry.state !== 'todo' || entry.nextTryAtMs > deps.clock.nowMs()) continue;
      const onItsWay = entry.tries > entry.failedTries;
      // a try whose writer died before the job was written is offered again; any other is waited for
      if (onItsWay && (await lookAfterJob(deps)(entry.placement.hostId, removalJobId(entry, entry.tries)))) continue;
      await dispatchRemoval(deps)(owner, entry);
    }
  };
