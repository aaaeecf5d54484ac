import { tryNow } from '../../../domain/cleanup.ts';
import type { Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { settleTries } from '../../shared/settle-cleanup.ts';
import { offerJob } from '../../workflow/dispatch/offer.ts';
import { dispatchRemoval, type EntryOwner } from '../../workflow/dispatch/removal.ts';

/** A removal that was asked of a host, or is over already. */
export type Begun =
  | { readonly kind: 'over'; readonly became: Became }
  | { readonly kind: 'entry'; readonly owner: EntryOwner; readonly objectName: string; readonly tries: number }
  | { readonly kind: 'job'; readonly hostId: string; readonly jobId: string };

/** `failed`: where an entry remembers it, it is tried again by itself. */
export interface Became {
  readonly state: 'removed' | 'pending' | 'failed' | 'refused';
  readonly reason: string | null;
}

export const refused = (reason: string): Begun => ({ kind: 'over', became: { state: 'refused', reason } });
const NEEDED = 'its volume needs it';

/** One try at once, unless one is under way. */
export const beginEntry = async (deps: Deps, owner: EntryOwner, objectName: string): Promise<Begun> => {
  const read = async () => (await owner.entries()).find((entry) => entry.objectName === objectName);
  await settleTries(deps)(owner);
  await owner.change(objectName, tryNow);
  const due = await read();
  if (due?.state === 'todo') {
    const isUnderWay = due.tries > due.failedTries;
    if (isUnderWay) await deps.queues.look(due.placement.hostId);
    else if ((await dispatchRemoval(deps)(owner, due)) === 'kept') return refused(NEEDED);
  }
  return { kind: 'entry', owner, objectName, tries: (await read())?.tries ?? 0 };
};

export interface Unheld {
  readonly objectName: string;
  readonly objectId: string | null;
  readonly place: Placement;
  readonly projectId: string;
  readonly volumeId: string;
}

/** Nobody is there to hold an entry: a job with an id of its own, whose end is told once. */
export const beginUnheld = async (
  deps: Deps,
  { objectName, objectId, place, projectId, volumeId }: Unheld,
): Promise<Begun> => {
  const { hostId, id: jobId } = await offerJob(deps)({
    hostId: place.hostId,
    id: `${objectName}.orphan.${deps.newId()}`,
    volumeId,
    projectId,
    migrationId: null,
    run: 0,
    spec: { kind: 'object.remove', input: { objectName, objectId, place } },
  });
  return { kind: 'job', hostId, jobId };
};
