import { volmoveError } from '../../../../domain/error.ts';
import { parseObjectName } from '../../../../domain/names.ts';
import type { Driver } from '../../../../host-agent/drivers/contract.ts';
import { NOTHING, type World } from '../world.ts';
import type { Actors } from './actors.ts';
import { objectDevice } from './device.ts';
import { worldMoves } from './moves.ts';

/** A driver over the pool of one host; what it does to the pool is a turn. */
export interface DriverParts {
  readonly actors: Actors;
  readonly world: World;
  readonly hostId: string;
  /** What this process holds open: nobody removes it, and it is let go when the process dies. */
  readonly opened: Set<{ readonly objectName: string }>;
  /** True when the backend refuses this removal as busy. */
  readonly isBusy: (objectName: string) => boolean;
  /** Somebody has it open, in any process. */
  readonly isOpen: (objectName: string) => boolean;
}

const notUsed = async (): Promise<never> => {
  throw new Error('No job asks a driver for this.');
};

export const worldDriver = ({ actors, world, hostId, opened, isBusy, isOpen }: DriverParts): Driver => {
  const idOf = (objectName: string): string => `id-of-${objectName}`;
  const busy = (object: string, reason: string) => volmoveError('ObjectBusy', { object, reason });
  const requireUnused = (objectName: string): void => {
    if (isBusy(objectName)) throw busy(objectName, 'somebody has it open');
    if (isOpen(objectName)) throw busy(objectName, 'an agent has it open');
  };
  return {
    kind: 'file',
    moves: worldMoves({ actors, world, idOf }),
    capabilities: { migrationProgressReport: false },
    poolNames: [],
    probe: notUsed,
    extend: notUsed,
    pools: notUsed,
    path: notUsed,
    find({ objectName }) {
      return actors.turn(`finds ${objectName}`, () => {
        const found = world.objects.get(objectName);
        return found?.hostId === hostId ? { objectId: idOf(objectName), sizeBytes: found.sizeBytes } : undefined;
      });
    },
    create({ pool, objectName, sizeBytes }) {
      const act = () => {
        world.make({ hostId, backend: 'files', pool }, objectName, sizeBytes);
        const made = world.objects.get(objectName);
        const zero = made?.content.every((value) => value === NOTHING) ?? false;
        return { objectId: idOf(objectName), sizeBytes, zero };
      };
      return actors.turn(`makes ${objectName}`, act, { again: act });
    },
    removable({ objectName }) {
      return actors.turn(`asks for ${objectName}`, () => {
        requireUnused(objectName);
        return world.objects.has(objectName) ? { thin: true } : undefined;
      });
    },
    remove({ objectName }) {
      const act = (): boolean => {
        requireUnused(objectName);
        return world.objects.delete(objectName);
      };
      return actors.turn(`removes object ${objectName}`, act, { again: act });
    },
    list: ({ pool, after, limit, what = 'ours' }) =>
      actors.turn(`lists ${pool} of ${hostId}`, () => {
        const asked = (name: string): boolean => (parseObjectName(name) !== undefined) === (what === 'ours');
        const here = [...world.objects.values()].filter(
          (one) => one.hostId === hostId && asked(one.name) && one.name > (after ?? ''),
        );
        const objects = here
          .toSorted((a, b) => Number(a.name > b.name) - Number(a.name < b.name))
          .slice(0, limit)
          .map(({ name, sizeBytes }) => ({ objectName: name, objectId: idOf(name), sizeBytes, madeAtMs: null }));
        return { objects, more: here.length > limit };
      }),
    async open({ objectName, pool }) {
      const found = world.objects.get(objectName);
      if (found?.hostId !== hostId) throw volmoveError('ObjectMissing', { object: objectName, place: pool });
      const mine = { objectName };
      opened.add(mine);
      const device = objectDevice({
        actors,
        object: () => world.objects.get(objectName),
        name: objectName,
        sizeBytes: found.sizeBytes,
        onClose: () => opened.delete(mine),
      });
      return { device, readback: 'direct' };
    },
  };
};
