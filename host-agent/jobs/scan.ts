import type { ListedObject } from '../drivers/contract.ts';
import { unfitOf } from './adopt.ts';
import type { JobHandler } from './context.ts';

/** What lies in a pool, a page at a time: a result is a job item, which must stay far below what the table takes. */
const PAGE_OBJECTS = 1000;
/** With the reasons why not, which are sentences. */
const PAGE_OTHERS = 400;

const verdictOn = (object: ListedObject): { unfit?: string } => {
  const unfit = unfitOf(object);
  return unfit === undefined ? {} : { unfit };
};

export const scanPool: JobHandler<'pool.scan'> = async (parts, { job, signal }) => {
  const { place, after, what } = job.input;
  const request = { pool: place.pool, after, limit: what === 'others' ? PAGE_OTHERS : PAGE_OBJECTS };
  const { objects, more } = await parts.backends.get(place).list(what ? { ...request, what } : request, signal);
  return {
    objects: objects.map((object) => ({
      objectName: object.objectName,
      objectId: object.objectId,
      sizeBytes: object.sizeBytes,
      madeAtMs: object.madeAtMs,
      ...(what === 'others' ? verdictOn(object) : {}),
    })),
    more,
  };
};
