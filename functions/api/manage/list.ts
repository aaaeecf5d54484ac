import { volmoveError } from '../../../domain/error.ts';
import type { ScannedObject } from '../../../domain/job/job.ts';
import { formatPlacement, type Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { isSameObject, type Managed, managedIn, realPool } from '../../shared/managed.ts';
import { waitFrom } from '../agents/wait.ts';
import { askPool } from '../cleanup/ask-pool.ts';
import { managedPool } from './places.ts';

export interface ListManageable {
  readonly host: string;
  readonly projectId: string;
  readonly signal: AbortSignal | undefined;
}

export interface Manageable {
  readonly object: ScannedObject;
  /** The volume that has it already. */
  readonly managed: Managed | undefined;
  /** Null: it may be taken over. */
  readonly reasonNot: string | null;
}

/** What others have made in the pool, from its host's agent, all of it: orders and pages need the whole. Throws NoListing. */
const othersIn = async (deps: Deps, place: Placement, asked: ListManageable): Promise<ScannedObject[]> => {
  const wait = waitFrom(deps, asked.signal);
  const objects: ScannedObject[] = [];
  let after: string | null = null;
  for (;;) {
    const answer = await askPool(deps)(place, after, asked.projectId, wait, 'others');
    if (!answer.ok) throw volmoveError('NoListing', { host: formatPlacement(place), reason: answer.reason });
    objects.push(...answer.page.objects);
    after = answer.page.objects.at(-1)?.objectName ?? null;
    if (!answer.page.more || after === null) return objects;
  }
};

export const listManageable =
  (deps: Deps) =>
  async (asked: ListManageable): Promise<Manageable[]> => {
    const { place, poolId } = await managedPool(deps)(asked.host);
    const objects = await othersIn(deps, place, asked);
    // read after the pool: what was taken over meanwhile is known by now
    const managed = await managedIn(deps)(realPool(await deps.store.hosts.all(), poolId, place));
    return objects.map((object) => {
      const by = managed.find(isSameObject(object));
      return { object, managed: by, reasonNot: by ? `already managed: ${by.why}` : (object.unfit ?? null) };
    });
  };
