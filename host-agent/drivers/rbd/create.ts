import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { CreatedObject, CreateObject, FoundObject } from '../contract.ts';
import { type FoundPool, requireRoom } from './cluster.ts';
import { found, type Images, missing } from './images.ts';
import { imageSpec } from './names.ts';
import type { Info } from './report.ts';

/** The moves inside a cluster, and telling what is allocated, want these; an image can have no sectors in part. */
const FEATURES = 'layering,exclusive-lock,object-map,fast-diff,deep-flatten';
const SECTOR_BYTES = 512;

const sized = (sizeBytes: number): string => `${Math.ceil(sizeBytes / SECTOR_BYTES) * SECTOR_BYTES}B`;

/** False when there is one of that name already. */
const makeNew = async (
  where: FoundPool,
  { objectName, sizeBytes }: CreateObject,
  images: Images,
  signal: AbortSignal,
) => {
  const spec = imageSpec(where.pool, objectName);
  try {
    await images.act(
      where,
      objectName,
      ['create', spec, '--size', sized(sizeBytes), '--image-feature', FEATURES],
      signal,
    );
    return true;
  } catch (error) {
    if (error instanceof VolmoveError && error.code === 'NameTaken') return false;
    throw error;
  }
};

const extended = async (
  where: FoundPool,
  image: string,
  sizeBytes: number,
  images: Images,
  signal: AbortSignal,
): Promise<Info> => {
  const there = await images.info(where, image, signal);
  if (!there) throw missing(where, image);
  if (there.size >= sizeBytes) return there;
  const args = ['resize', imageSpec(where.pool, image), '--size', sized(sizeBytes), '--no-progress'];
  await images.act(where, image, args, signal);
  const now = await images.info(where, image, signal);
  if (!now) throw missing(where, image);
  return now;
};

/** Never smaller; the resize asks for more than there is. */
export const extendImage = async (
  where: FoundPool,
  object: { readonly objectName: string; readonly sizeBytes: number },
  images: Images,
  signal: AbortSignal,
): Promise<FoundObject> => found(await extended(where, object.objectName, object.sizeBytes, images, signal));

/** Zero only when this call made the image: what an earlier try left may have been written to since. */
export const createImage = async (
  where: FoundPool,
  request: CreateObject,
  images: Images,
  signal: AbortSignal,
): Promise<CreatedObject> => {
  const { objectName } = request;
  const before = await images.info(where, objectName, signal);
  if (!before) requireRoom(where);
  const zero = !before && (await makeNew(where, request, images, signal));
  if (!zero && (await images.makerOf(where, objectName, signal)) === 'others')
    throw volmoveError('NameTaken', {
      object: objectName,
      place: where.place,
      reason: 'it does not carry the tag of volmove, or that of another image, and has data',
    });
  await images.tag(where, objectName, signal);
  return { ...found(await extended(where, objectName, request.sizeBytes, images, signal)), zero };
};
