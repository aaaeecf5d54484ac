import { VolmoveError } from '../../../domain/error.ts';
import { parseObjectName } from '../../../domain/names.ts';
import { inParallel } from '../../in-parallel.ts';
import type { ListedObject, ListObjects, ObjectPage } from '../contract.ts';
import type { FoundPool } from './cluster.ts';
import { RBD } from './commands.ts';
import { heldBy } from './errors.ts';
import { found, type Images, missing } from './images.ts';
import { poolSpec } from './names.ts';
import { type Info, NAMES, parseReport } from './report.ts';

/** The images of a pool. Their names come in one call; each that is on the page is looked at once or twice more. */

const AT_ONCE = 4;
const SECTOR_BYTES = 512;

const allNames = async (where: FoundPool, images: Images, signal: AbortSignal): Promise<string[]> => {
  const args = ['ls', poolSpec(where.pool), '--format', 'json'];
  return parseReport(NAMES, await images.act(where, '', args, signal), RBD.program).sort((a, b) => (a < b ? -1 : 1));
};

const madeAt = (timestamp: string | undefined): number | null => {
  const ms = timestamp === undefined ? Number.NaN : Date.parse(`${timestamp} UTC`);
  return Number.isNaN(ms) ? null : ms;
};

/** Undefined for what only looks like ours. */
const ours = async (where: FoundPool, image: string, images: Images, signal: AbortSignal) => {
  const info = await images.info(where, image, signal);
  if (!info || (await images.makerOf(where, image, signal)) === 'others') return undefined;
  return { objectName: image, ...found(info), madeAtMs: madeAt(info.create_timestamp) };
};

/** Undefined for what is gone meanwhile, whichever question about it finds that out. */
const unlessGone = async <T>(act: Promise<T>): Promise<T | undefined> => {
  try {
    return await act;
  } catch (error) {
    if (error instanceof VolmoveError && error.code === 'ObjectMissing') return undefined;
    throw error;
  }
};

const unfitness = async (
  where: FoundPool,
  image: string,
  { size, features, snapshot_count: snapshots }: Pick<Info, 'size' | 'features' | 'snapshot_count'>,
  images: Images,
  signal: AbortSignal,
): Promise<string | undefined> => {
  if (features.includes('migrating')) return 'it is being moved to another pool';
  if (size % SECTOR_BYTES !== 0) return `its size is no multiple of ${SECTOR_BYTES} bytes`;
  // it could not be removed after a copy
  if (snapshots > 0) return `it has the snapshots ${(await images.snapshots(where, image, signal)).join(', ')}`;
  const status = await images.status(where, image, signal);
  if (!status) throw missing(where, image);
  const watchers = status.watchers.map(({ address }) => address);
  return watchers.length === 0 ? undefined : heldBy(watchers);
};

const others = async (where: FoundPool, image: string, images: Images, signal: AbortSignal) => {
  const info = await images.info(where, image, signal);
  if (!info) return undefined;
  const unfit = await unfitness(where, image, info, images, signal);
  const listed = { objectName: image, ...found(info), madeAtMs: madeAt(info.create_timestamp) };
  return unfit === undefined ? listed : { ...listed, unfit };
};

export const listImages = async (
  where: FoundPool,
  { what = 'ours', after, limit }: ListObjects,
  images: Images,
  signal: AbortSignal,
): Promise<ObjectPage> => {
  const names = (await allNames(where, images, signal)).filter(
    (name) => (parseObjectName(name) !== undefined) === (what === 'ours') && (after === null || name > after),
  );
  const describe = what === 'ours' ? ours : others;
  const page = await inParallel(
    AT_ONCE,
    names.slice(0, limit),
    (name): Promise<ListedObject | undefined> => unlessGone(describe(where, name, images, signal)),
  );
  return { objects: page.filter((one) => one !== undefined), more: names.length > limit };
};
