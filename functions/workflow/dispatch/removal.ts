import { type CleanupEntry, removalJobId } from '../../../domain/cleanup.ts';
import { isJobEnded, type Job, type Waiting } from '../../../domain/job/job.ts';
import { giveUpRetained, removable } from '../../../domain/volume/retained.ts';
import type { Deps } from '../../shared/deps.ts';
import { isSomebodyElses } from '../../shared/released.ts';
import { offerJob } from './offer.ts';

/** Where the cleanup entry stands: on an ended migration, or on a volume that is deleted. */
export interface EntryOwner {
  readonly volumeId: string;
  readonly projectId: string;
  readonly migrationId: string | null;
  /** As they stand now. */
  readonly entries: () => Promise<readonly CleanupEntry[]>;
  readonly change: (objectName: string, change: (entry: CleanupEntry) => CleanupEntry) => Promise<void>;
}

/** A try whose job has not ended, or died before its job was written, goes on; a new one only after that has failed. */
const tryOf = async (deps: Deps, entry: CleanupEntry): Promise<number> => {
  // the job of a try that was heard of may be off the list long since
  if (entry.tries === entry.failedTries) return entry.tries + 1;
  const job = await deps.store.jobs.get(entry.placement.hostId, removalJobId(entry, entry.tries));
  return job && isJobEnded(job) && job.stage.state === 'failed' ? entry.tries + 1 : entry.tries;
};

/**
 * One try of one removal (design section 3, the removal rule): the entry stands already; an object whose time is over leaves
 * `retained[]`; a consistent read shows that the volume neither lives on it nor keeps it; then a new job. As names are never
 * reused, the rule stays true for ever once it is true, so the job may run as late as it likes.
 */
export const dispatchRemoval =
  (deps: Deps) =>
  async (owner: EntryOwner, entry: CleanupEntry, waiting?: Waiting): Promise<Job | 'kept'> => {
    const before = await deps.store.volumes.get(owner.volumeId);
    if (before?.location?.objectName === entry.objectName) {
      await owner.change(entry.objectName, (e) => ({ ...e, state: 'dropped' }));
      return 'kept';
    }
    if (before?.retained.some((r) => r.object.objectName === entry.objectName)) {
      await deps.store.volumes.apply([owner.volumeId], giveUpRetained(entry.objectName, deps.clock.nowMs()));
    }
    const volume = await deps.store.volumes.get(owner.volumeId);
    if (!volume && (await isSomebodyElses(deps)(entry, owner.volumeId))) {
      await owner.change(entry.objectName, (e) => ({ ...e, state: 'dropped' }));
      return 'kept';
    }
    const madeBy =
      owner.migrationId !== null && entry.run !== null ? { migrationId: owner.migrationId, run: entry.run } : undefined;
    if (!removable(volume, entry.objectName, madeBy)) return 'kept';
    const tryNumber = await tryOf(deps, entry);
    await owner.change(entry.objectName, (e) => (e.tries >= tryNumber ? e : { ...e, tries: tryNumber }));
    return offerJob(deps)(
      {
        hostId: entry.placement.hostId,
        id: removalJobId(entry, tryNumber),
        volumeId: owner.volumeId,
        projectId: owner.projectId,
        migrationId: owner.migrationId,
        run: entry.run ?? 0,
        spec: {
          kind: 'object.remove',
          input: {
            objectName: entry.objectName,
            objectId: entry.objectId,
            place: entry.placement,
            ...(entry.wipe ? { wipe: true } : {}),
          },
        },
      },
      waiting,
    );
  };
