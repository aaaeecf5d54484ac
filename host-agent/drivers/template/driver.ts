import { randomUUID } from 'node:crypto';
import { volmoveError } from '../../../domain/error.ts';
import type { Driver, FoundObject, ListedObject, ObjectName } from '../contract.ts';
import { openItem } from './device.ts';
import { onlinePool, placeOf, reportPool, type TemplateBackend } from './pool.ts';
import type { Item, Storage } from './storage.ts';

/**
 * A driver to begin from (docs/drivers.md): copy the folder, put your storage system's client in the place of storage.ts, and let the
 * conformance suite say what is missing. Each call asks the storage system anew: an agent may have died since the call before.
 */

type NamedObject = ObjectName & { readonly objectId: string | null };

const foundItem = ({ id, content }: Item): FoundObject => ({ objectId: id, sizeBytes: content.length });

/** Undefined when it is not there; ObjectBusy when it is another one, not ours, or open. */
const idleItem = ({ items }: Storage, { objectName, objectId }: NamedObject): Item | undefined => {
  const item = items.get(objectName);
  const busy = (reason: string): Error => volmoveError('ObjectBusy', { object: objectName, reason });
  if (!item) return undefined;
  if (objectId === null && !item.ours) throw busy('others have made it');
  if (objectId !== null && objectId !== item.id) throw busy(`it is ${item.id} now, not ${objectId}`);
  if (item.users > 0) throw busy(`it is open (${item.users} times)`);
  return item;
};

const listed = ([objectName, item]: [string, Item]): ListedObject => ({
  objectName,
  ...foundItem(item),
  madeAtMs: item.madeAtMs,
});

const makeItem = (sizeBytes: number): Item => ({
  id: randomUUID(),
  content: Buffer.alloc(sizeBytes),
  ours: true,
  madeAtMs: Date.now(),
  users: 0,
});

export const templateDriver = (backend: TemplateBackend): Driver => {
  const online = ({ pool }: { readonly pool: string }, signal: AbortSignal) => onlinePool(backend, pool, signal);
  const require = async (object: ObjectName, signal: AbortSignal): Promise<Item> => {
    const item = (await online(object, signal)).items.get(object.objectName);
    if (item) return item;
    throw volmoveError('ObjectMissing', { object: object.objectName, place: placeOf(backend, object.pool) });
  };
  const poolNames = backend.pools.map(({ name }) => name);
  return {
    kind: 'template',
    poolNames,
    capabilities: { migrationProgressReport: false },
    async probe(signal) {
      const reports = await Promise.all(poolNames.map((name) => reportPool(backend, name, signal)));
      return reports.flatMap(({ name, reason }) => (reason === null ? [] : [{ pool: name, problem: reason }]));
    },
    pools: (signal) => Promise.all(poolNames.map((name) => reportPool(backend, name, signal))),
    async create(request, signal) {
      const { items } = await online(request, signal);
      const before = items.get(request.objectName);
      if (before && !before.ours)
        throw volmoveError('NameTaken', {
          object: request.objectName,
          place: placeOf(backend, request.pool),
          reason: 'others have made it',
        });
      const item = before ?? makeItem(request.sizeBytes);
      items.set(request.objectName, item);
      // of an earlier try nobody knows what was written to it since
      return { ...foundItem(item), zero: before === undefined };
    },
    async extend(object, signal) {
      const item = await require(object, signal);
      const more = object.sizeBytes - item.content.length;
      if (more > 0) item.content = Buffer.concat([item.content, Buffer.alloc(more)]);
      return foundItem(item);
    },
    async find(object, signal) {
      const item = (await online(object, signal)).items.get(object.objectName);
      return item && foundItem(item);
    },
    async removable(object, signal) {
      return idleItem(await online(object, signal), object) && { thin: false };
    },
    async remove(object, signal) {
      const storage = await online(object, signal);
      return idleItem(storage, object) !== undefined && storage.items.delete(object.objectName);
    },
    async list({ pool, what = 'ours', after, limit }, signal) {
      const { items } = await online({ pool }, signal);
      const objects = [...items]
        .filter(([name, { ours }]) => ours === (what === 'ours') && (after === null || name > after))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(listed);
      return { objects: objects.slice(0, limit), more: objects.length > limit };
    },
    async open(object, mode, signal) {
      return { device: openItem(await require(object, signal), mode), readback: 'direct' };
    },
    path: async () => null,
  };
};
