import { volmoveError } from '../../../domain/error.ts';
import type { ObjectName, RemovableObject } from '../contract.ts';
import type { FoundPool } from './cluster.ts';
import type { Commands } from './commands.ts';
import { ERRNO, errnoOf } from './errors.ts';
import type { Images } from './images.ts';
import { imageSpec } from './names.ts';
import type { Users } from './users.ts';

/** Removals. Ceph itself refuses an image with watchers or snapshots; what is asked before says which ones. */

type NamedObject = ObjectName & { readonly objectId: string | null };

export interface Removals {
  removable(where: FoundPool, object: NamedObject, signal: AbortSignal): Promise<RemovableObject | undefined>;
  remove(where: FoundPool, object: NamedObject, signal: AbortSignal): Promise<boolean>;
}

export interface RemovalDeps {
  readonly commands: Commands;
  readonly images: Images;
  readonly users: Users;
}

export const removalsOf = ({ commands, images, users }: RemovalDeps): Removals => {
  const requireUnbound = async (where: FoundPool, object: string, signal: AbortSignal): Promise<void> => {
    const snapshots = await images.snapshots(where, object, signal);
    if (snapshots.length === 0) return;
    const clones = await images.clones(where, object, signal);
    const of = clones.length === 0 ? '' : `, and of them the clones ${clones.join(', ')}`;
    throw volmoveError('HasDependents', { object, reason: `it has the snapshots ${snapshots.join(', ')}${of}` });
  };

  /** False when it is not there. */
  const idle = async (where: FoundPool, object: NamedObject, signal: AbortSignal): Promise<boolean> => {
    const { objectName, objectId } = object;
    const there = await images.info(where, objectName, signal);
    if (!there) return false;
    const busy = (reason: string) => volmoveError('ObjectBusy', { object: objectName, reason });
    if (objectId !== null && objectId !== there.id)
      throw busy(`it is ${there.id} now, not ${objectId}: somebody replaced it`);
    if (there.features.includes('migrating')) throw busy('it is being moved to another pool');
    await users.requireNone(where, objectName, signal);
    await requireUnbound(where, objectName, signal);
    return true;
  };

  return {
    async removable(where, object, signal) {
      // an object of the pool that nobody has written reads as zeroes
      return (await idle(where, object, signal)) ? { thin: true } : undefined;
    },
    async remove(where, object, signal) {
      const { objectName } = object;
      const there = await idle(where, object, signal);
      // also when it is not there: of a create that was killed a name without an image can be left
      const end = await commands.long(['rm', imageSpec(where.pool, objectName)], signal);
      if (end.exitCode === 0) return true;
      if (errnoOf(end) === ERRNO.NOT_THERE && !there) return false;
      // gone between the look and the removal: somebody else, or an earlier call whose answer was lost
      if (errnoOf(end) === ERRNO.NOT_THERE && !(await images.info(where, objectName, signal))) return there;
      throw await images.refusal(end, where, objectName, signal);
    },
  };
};
