import { volmoveError } from '../../../domain/error.ts';
import { isForeignName, parseObjectName } from '../../../domain/names.ts';
import type { ObjectReference } from '../../../domain/placement.ts';
import { newAdoptedVolume, referenceText } from '../../../domain/volume/adoption.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { isSameObject, managedIn, realPool } from '../../shared/managed.ts';
import type { Caller } from '../http/exchange.ts';
import { startOperation } from '../volumes/create.ts';
import { managedPool } from './places.ts';

export interface ManageVolume {
  readonly caller: Caller;
  readonly host: string;
  readonly reference: ObjectReference;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

const requireForeign = (reference: ObjectReference): void => {
  if (!('objectName' in reference) || isForeignName(reference.objectName)) return;
  const object = reference.objectName;
  const reason = parseObjectName(object)
    ? 'it is volmove’s own: such a name is given to what volmove makes'
    : 'it is no name of an object in a pool';
  throw volmoveError('InvalidReference', { object, reason });
};

/**
 * Writes the volume down, then has its object found; should the second step be lost, the sweeper finds a `managing` volume and does
 * it. What is known now is refused now; the rest, and two that want the same at once, are decided when the object was found.
 */
export const manageVolume =
  (deps: Deps) =>
  async ({ host, reference, caller, ...texts }: ManageVolume): Promise<Volume> => {
    requireForeign(reference);
    const { place, poolId } = await managedPool(deps)(host);
    const managed = await managedIn(deps)(realPool(await deps.store.hosts.all(), poolId, place));
    const by = managed.find(isSameObject(reference));
    if (by) throw volmoveError('AlreadyManaged', { object: referenceText(reference), reason: by.why });
    const { value: volume } = await deps.store.volumes.create(
      newAdoptedVolume({
        ...texts,
        id: deps.newId(),
        projectId: caller.projectId,
        userId: caller.userId,
        placement: place,
        adopted: { poolId, reference },
        nowMs: deps.clock.nowMs(),
      }),
    );
    await startOperation(deps)(volume);
    return volume;
  };
