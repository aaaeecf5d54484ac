import { VolmoveError, volmoveError } from '../../domain/error.ts';
import type { AdoptInput } from '../../domain/job/job.ts';
import { isForeignName } from '../../domain/names.ts';
import { formatPlacement } from '../../domain/placement.ts';
import { referenceText } from '../../domain/volume/adoption.ts';
import { GIB, MAX_SIZE_GIB } from '../../domain/volume/volume.ts';
import type { Driver, ListedObject } from '../drivers/contract.ts';
import type { JobHandler } from './context.ts';

/**
 * What others have made becomes a volume: it is looked for among what the backend lists as theirs, so that what is taken over is
 * what was listed, and nothing is changed. Whose volume it becomes, and that it becomes only one, is the control plane's business.
 */

const PAGE_OBJECTS = 1000;
/** Disks have whole sectors; a guest would not see the rest. */
const SECTOR_BYTES = 512;

/** Why it cannot be a volume as it is; undefined when it can. */
export const unfitOf = ({ objectName, unfit, sizeBytes }: ListedObject): string | undefined => {
  if (unfit !== undefined) return unfit;
  if (!isForeignName(objectName)) return 'its name has characters in it that could play tricks';
  if (sizeBytes === 0) return 'it is empty';
  if (sizeBytes % SECTOR_BYTES > 0) return `its size, ${sizeBytes} bytes, is not a multiple of ${SECTOR_BYTES}`;
  if (sizeBytes > MAX_SIZE_GIB * GIB) return `it is larger than the largest volume, which has ${MAX_SIZE_GIB} GiB`;
  return undefined;
};

const isIt =
  ({ reference }: AdoptInput) =>
  ({ objectName, objectId }: ListedObject): boolean =>
    'objectName' in reference ? objectName === reference.objectName : objectId === reference.objectId;

/** The list is in the order of the names, so one that is asked for by its name needs no page in front of it. */
const listed = async (driver: Driver, input: AdoptInput, signal: AbortSignal): Promise<ListedObject | undefined> => {
  const { reference, place } = input;
  const name = 'objectName' in reference ? reference.objectName : undefined;
  let after = name?.slice(0, -1) || null;
  for (;;) {
    const { objects, more } = await driver.list(
      { pool: place.pool, what: 'others', after, limit: PAGE_OBJECTS },
      signal,
    );
    const found = objects.find(isIt(input));
    const last = objects.at(-1)?.objectName;
    if (found || !more || last === undefined || (name !== undefined && last > name)) return found;
    after = last;
  }
};

const unfit = (input: AdoptInput, reason: string, cause?: unknown): VolmoveError =>
  volmoveError('InvalidReference', { object: referenceText(input.reference), reason }, { cause });

const missing = ({ reference, place }: AdoptInput): VolmoveError =>
  volmoveError('ObjectMissing', { object: referenceText(reference), place: formatPlacement(place) });

/** Throws what is in use by a process, a mapping, a watcher or a snapshot: it could not be removed after a move either. */
const requireIdle = async (driver: Driver, object: ListedObject, input: AdoptInput, signal: AbortSignal) => {
  try {
    const { objectName, objectId } = object;
    if (!(await driver.removable({ pool: input.place.pool, objectName, objectId }, signal))) throw missing(input);
  } catch (error) {
    const inUse = error instanceof VolmoveError && (error.code === 'ObjectBusy' || error.code === 'HasDependents');
    throw inUse ? unfit(input, error.message, error) : error;
  }
};

export const adoptVolume: JobHandler<'volume.adopt'> = async (parts, { job, signal }) => {
  const { input } = job;
  const { reference, place } = input;
  const driver = parts.backends.get(place);
  const object = await listed(driver, input, signal);
  if (!object) {
    const there = 'objectName' in reference && (await driver.find({ pool: place.pool, ...reference }, signal));
    throw there ? unfit(input, 'it is volmove’s own, or nothing that could be a volume') : missing(input);
  }
  const why = unfitOf(object);
  if (why !== undefined) throw unfit(input, why);
  await requireIdle(driver, object, input, signal);
  const { objectName, objectId, sizeBytes } = object;
  return { object: { ...place, objectName, objectId, sizeBytes } };
};
