import type { JobHandler } from './context.ts';

/** What lies in a pool, a page at a time: a result is a job item, which must stay far below what the table takes. */
const PAGE_OBJECTS = 1000;

export const scanPool: JobHandler<'pool.scan'> = async (parts, { job, signal }) => {
  const { place, after } = job.input;
  const { objects, more } = await parts.backends
    .get(place)
    .list({ pool: place.pool, after, limit: PAGE_OBJECTS }, signal);
  return {
    objects: objects.map(({ objectName, objectId, sizeBytes, madeAtMs }) => ({
      objectName,
      objectId,
      sizeBytes,
      madeAtMs,
    })),
    more,
  };
};
