import { afterFailedTry, cleanupDone, cleanupNeedsYou, removalJobId } from '../../domain/cleanup.ts';
import { cleanupEvent } from '../../domain/event.ts';
import { resultOf } from '../../domain/job/job.ts';
import { tellCleanup } from '../../domain/migration/end.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import type { EntryOwner } from '../workflow/dispatch/removal.ts';
import type { Deps } from './deps.ts';

/** Takes over what the last try of each entry came to: done, or when to try again. */
export const settleTries =
  (deps: Deps) =>
  async (owner: EntryOwner): Promise<void> => {
    for (const entry of await owner.entries()) {
      if (entry.state !== 'todo' || entry.tries === entry.failedTries) continue;
      const job = await deps.store.jobs.get(entry.placement.hostId, removalJobId(entry, entry.tries));
      if (job?.stage.state === 'succeeded') {
        const { wiped } = resultOf(job, 'object.remove') ?? {};
        const end = { state: 'done' as const, lastFailure: null, ...(wiped === undefined ? {} : { wiped }) };
        await owner.change(entry.objectName, (e) => ({ ...e, ...end }));
      } else if (job?.stage.state === 'failed') {
        const { failure, endedAtMs } = job.stage;
        await owner.change(entry.objectName, (e) =>
          e.tries === entry.tries && e.failedTries < e.tries ? afterFailedTry(e, failure, endedAtMs) : e,
        );
      }
    }
  };

/** The Cleanup event of an ended migration: `done` or `needs_you`, each at most once; marked first, then sent. */
export const tellCleanupOnce =
  (deps: Deps) =>
  async (migration: Migration): Promise<void> => {
    if (!isEnded(migration) || migration.cleanup.length === 0) return;
    const what = cleanupDone(migration.cleanup) ? 'done' : cleanupNeedsYou(migration.cleanup) ? 'needsYou' : undefined;
    if (!what || migration.cleanupTold[what]) return;
    const nowMs = deps.clock.nowMs();
    const marked = await deps.store.migrations.apply([migration.id], tellCleanup(what, nowMs));
    if (marked.wrote)
      await deps.notifier.notify([cleanupEvent(marked.value, what === 'done' ? 'done' : 'needs_you', nowMs)]);
  };
