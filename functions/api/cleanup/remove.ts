import { VolmoveError } from '../../../domain/error.ts';
import { findPool } from '../../../domain/host/host.ts';
import type { Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { releasedAmong } from '../../shared/released.ts';
import { waitFrom } from '../agents/wait.ts';
import { whatBecame } from './became.ts';
import { type Became, type Begun, beginEntry, beginUnheld, refused } from './begin.ts';
import { judgeOne } from './candidates.ts';
import { hold } from './hold.ts';
import { type Tracked, trackedEntries } from './tracked.ts';

export interface RemoveObject {
  readonly objectName: string;
  /** Undefined: it must be known. */
  readonly place: Placement | undefined;
  readonly objectId: string | null;
}

export interface Remove {
  readonly projectId: string;
  readonly objects: readonly RemoveObject[];
  /** Also what this service does not know: somebody has looked. */
  readonly alsoUnknown: boolean;
  readonly signal: AbortSignal | undefined;
}

const poolIsThere = async (deps: Deps, place: Placement): Promise<boolean> => {
  const host = await deps.store.hosts.get(place.hostId);
  return host !== undefined && findPool(host, place) !== undefined;
};

const GIVEN_UP = 'its volume was unmanaged, so it is not volmove’s any more';

/** Several may have given up the same object. */
const beginTracked = async (deps: Deps, known: readonly Tracked[]): Promise<Begun[]> => {
  if (known.some(({ mayBeTried }) => !mayBeTried)) return [refused('its migration has not ended')];
  const begun: Begun[] = [];
  for (const { owner, entry } of known) begun.push(await beginEntry(deps, owner, entry.objectName));
  return begun;
};

const beginOrphan = async (deps: Deps, command: Remove, object: RemoveObject): Promise<Begun> => {
  const { objectName, objectId, place } = object;
  const { judgement, volumeId, migration, volume } = await judgeOne(deps)(objectName);
  if (judgement.verdict === 'wanted' || volumeId === null) return refused(judgement.why);
  if (judgement.verdict === 'unknown' && !command.alsoUnknown) return refused(judgement.why);
  if (!place) return refused('no migration and no volume remembers it, and no pool was named that it lies in');
  if (!(await poolIsThere(deps, place))) return refused('there is no such pool');
  const found = { place, object: { objectName } };
  if ((await releasedAmong(deps)([found]))(found)) return refused(GIVEN_UP);
  const owner = await hold(deps)({ objectName, objectId, place, volume, migration });
  if (owner) return beginEntry(deps, owner, objectName);
  return beginUnheld(deps, { objectName, objectId, place, projectId: command.projectId, volumeId });
};

const begin = async (
  deps: Deps,
  command: Remove,
  object: RemoveObject,
  known: readonly Tracked[],
): Promise<Begun[]> => {
  try {
    return known.length > 0 ? await beginTracked(deps, known) : [await beginOrphan(deps, command, object)];
  } catch (error) {
    // one object's refusal says nothing of the others
    if (error instanceof VolmoveError) return [{ kind: 'over', became: { state: 'failed', reason: error.message } }];
    throw error;
  }
};

/** It is gone when all that have given it up say so. */
const together = (all: readonly Became[]): Became =>
  all.find(({ state }) => state !== 'removed') ?? { state: 'removed', reason: null };

/**
 * Removes by exact name, each by the removal rule on a consistent read; what a volume refers to is refused. Answers with what
 * became of each in the order asked; a removal that is not over in time goes on.
 */
export const remove =
  (deps: Deps) =>
  async (command: Remove): Promise<Became[]> => {
    const wait = waitFrom(deps, command.signal);
    const tracked = await trackedEntries(deps);
    const begun: Begun[][] = [];
    // one after the other: many objects may have their entries in one and the same item
    for (const object of command.objects) {
      const known = tracked.filter(({ entry }) => entry.objectName === object.objectName);
      begun.push(await begin(deps, command, object, known));
    }
    const became = await whatBecame(deps, begun.flat(), wait);
    let next = 0;
    return begun.map(({ length }) => {
      const mine = became.slice(next, next + length);
      next += length;
      return together(mine);
    });
  };
