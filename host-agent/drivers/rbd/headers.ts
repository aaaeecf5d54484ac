import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { volmoveError } from '../../../domain/error.ts';
import type { FoundPool } from './cluster.ts';
import type { Commands } from './commands.ts';
import { ERRNO, errnoOf, refusalBy } from './errors.ts';
import { poolArgs } from './names.ts';

/**
 * What rbd itself cannot tell, or put right, of a move that was cut off. It waits for ever for a destination that is half made; takes
 * nothing out of the trash that a move has put there; and neither removes a source that is still marked as one, nor unmarks it, when
 * the rest of the move is gone. All of this stands in objects of rados; their form has been the same since Ceph 14.
 */
export interface Headers {
  /** Whether an image is there that is no part of a move (any more). Never waits for one that is half made. */
  standsAlone(where: FoundPool, image: string, signal: AbortSignal): Promise<boolean>;
  /** Takes an image that a move was begun of, and no more than begun, out of the trash. */
  putBack(where: FoundPool, image: { readonly name: string; readonly id: string }, signal: AbortSignal): Promise<void>;
  /** An image by its id: it is no part of a move any more. */
  unmark(where: FoundPool, id: string, signal: AbortSignal): Promise<void>;
}

export interface HeadersDeps {
  readonly commands: Commands;
  readonly timeoutSeconds: number;
  readonly runDir: string;
}

/** RBD_FEATURE_MIGRATING, in the second byte of the features. */
const MIGRATING = 0x02;
const FIRST_LINE = /^0{8} {2}[0-9a-f]{2} ([0-9a-f]{2})/m;

/** Of an entry of the trash: version, compatible version, length (4), source, length of the name (4), name, two times (16), state. */
const SOURCE_AT = 6;
const NAME_AT = 11;
const TIMES_BYTES = 16;
const BY_USER = 0;
const BY_MIGRATION = 2;
const AT_REST = 0;

/** The same entry as if somebody had put it there by hand, which rbd restores; undefined when it is of another form. */
export const asPutByHand = (entry: Buffer, name: string): Buffer | undefined => {
  const stateAt = NAME_AT + Buffer.byteLength(name) + TIMES_BYTES;
  const source = entry[SOURCE_AT];
  const isKnown =
    entry.length === stateAt + 1 &&
    entry.subarray(NAME_AT, stateAt - TIMES_BYTES).toString() === name &&
    (source === BY_MIGRATION || source === BY_USER);
  if (!isKnown) return undefined;
  const changed = Buffer.from(entry);
  changed[SOURCE_AT] = BY_USER;
  changed[stateAt] = AT_REST;
  return changed;
};

const FEATURES_BYTES = 8;

/** The features of an image that is no part of a move. */
export const asUnmarked = (features: Buffer): Buffer | undefined => {
  if (features.length !== FEATURES_BYTES) return undefined;
  const changed = Buffer.from(features);
  changed[1] = (features[1] ?? 0) & ~MIGRATING;
  return changed;
};

export const headersOf = ({ commands, timeoutSeconds, runDir }: HeadersDeps): Headers => {
  /** Undefined when there is no such object. */
  const rados = async (where: FoundPool, object: string, args: readonly string[], signal: AbortSignal) => {
    const end = await commands.rados([...poolArgs(where.pool), ...args], signal);
    if (end.exitCode === 0) return end.stdout;
    if (errnoOf(end) === ERRNO.NOT_THERE) return undefined;
    throw refusalBy(end, { place: where.place, object, timeoutSeconds });
  };

  const change = async (
    where: FoundPool,
    key: readonly [object: string, key: string],
    how: (value: Buffer) => Buffer | undefined,
    signal: AbortSignal,
  ): Promise<void> => {
    const file = join(runDir, `omap-${randomUUID()}`);
    try {
      if ((await rados(where, key[0], ['getomapval', ...key, file], signal)) === undefined) return;
      const value = how(await readFile(file));
      if (!value)
        throw volmoveError('BackendRefused', {
          place: where.place,
          reason: `${key.join(' ')} is of a form that is not known; see \`rbd trash ls --all\``,
        });
      await writeFile(file, value);
      await rados(where, key[0], ['setomapval', ...key, '--input-file', file], signal);
    } finally {
      await rm(file, { force: true });
    }
  };

  return {
    async standsAlone(where, image, signal) {
      // its length in front of it
      const id = (await rados(where, image, ['get', `rbd_id.${image}`, '-'], signal))?.slice(4);
      if (id === undefined) return false;
      const features = await rados(where, image, ['getomapval', `rbd_header.${id}`, 'features'], signal);
      const second = FIRST_LINE.exec(features ?? '')?.[1];
      return second !== undefined && (Number.parseInt(second, 16) & MIGRATING) === 0;
    },
    async putBack(where, { name, id }, signal) {
      await change(where, ['rbd_trash', `id_${id}`], (entry) => asPutByHand(entry, name), signal);
      const end = await commands.rbd(['trash', 'restore', ...poolArgs(where.pool), '--image-id', id], signal);
      if (end.exitCode !== 0) throw refusalBy(end, { place: where.place, object: name, timeoutSeconds });
    },
    async unmark(where, id, signal) {
      const header = `rbd_header.${id}`;
      await change(where, [header, 'features'], asUnmarked, signal);
      await rados(where, id, ['rmomapkey', header, 'migration'], signal);
    },
  };
};
