import { link, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { volmoveError } from '../../../domain/error.ts';
import { underCatalogue } from '../../failures.ts';
import type { ObjectName } from '../contract.ts';
import type { BackendMove, BackendMoves, MoveState } from '../moves.ts';
import { found } from './found.ts';
import { requireIdle } from './idle.ts';
import { IDENTITY_FILE } from './pool-identity.ts';
import { syncParent } from './sync-parent.ts';

/**
 * Between two directories of one file system a volume needs no copy: its file is given a second name (link(2)), and then loses the
 * first. It is the same file all the time, so there is nothing that could differ.
 */
export interface FileMoves {
  readonly pathOf: (object: ObjectName) => Promise<string>;
  readonly place: (object: ObjectName) => string;
}

const unlink = async (path: string): Promise<void> => {
  await rm(path, { force: true });
  await syncParent(path);
};

/** It has its one name and no other: the move was not begun, or was undone. */
const isUntouched = async (path: string, source: BackendMove['source']): Promise<boolean> => {
  const there = await found(path);
  return there?.objectId === source.objectId && (await stat(path)).nlink === 1;
};

/** Two mounts of one file system look like one and are not; the pool's identity file is tried in the place of the volume. */
const linksInto = async (from: string, to: string): Promise<boolean> => {
  const trial = `${to}.trial`;
  try {
    await rm(trial, { force: true });
    await link(join(dirname(from), IDENTITY_FILE), trial);
    return true;
  } catch (error) {
    if (['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(trial, { force: true });
  }
};

export const fileMoves = ({ pathOf, place }: FileMoves): BackendMoves => {
  const both = async ({ source, destination }: BackendMove) => {
    const [from, to] = [await pathOf(source), await pathOf(destination)];
    return { from, to, before: await found(from), after: await found(to) };
  };
  const stateOf = async (move: BackendMove): Promise<MoveState> => {
    const { before, after } = await both(move);
    if (after?.objectId !== move.source.objectId) return { state: 'none' };
    return before?.objectId === after.objectId ? { state: 'synchronised' } : { state: 'finished', object: after };
  };
  const under = <T>({ source }: BackendMove, act: () => Promise<T>): Promise<T> => underCatalogue(act, place(source));

  return {
    // whoever was told the old name and comes a moment later would find nothing
    attachDuringMove: 'forbidden',
    takesNoSpace: true,
    canMove: (move) =>
      under(move, async () => {
        const { from, to, before, after } = await both(move);
        // a copy would read the same: what is gone, another's, or written to by others is no case for one
        if (!before) throw volmoveError('ObjectMissing', { object: move.source.objectName, place: place(move.source) });
        await requireIdle(move.source, from, before);
        if (after) return { ok: false, reason: `there is a ${move.destination.objectName} already` };
        return (await linksInto(from, to))
          ? { ok: true }
          : { ok: false, reason: 'its file system gives a file no second name there' };
      }),
    start: (move) =>
      under(move, async () => {
        const { from, to } = await both(move);
        try {
          await link(from, to);
        } catch (error) {
          // an earlier call whose answer was lost
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
        await syncParent(to);
      }),
    poll: (move) => under(move, () => stateOf(move)),
    recover: (move) => under(move, () => stateOf(move)),
    finish: (move) =>
      under(move, async () => {
        const state = await stateOf(move);
        if (state.state === 'finished') return state.object;
        const { from, to, after } = await both(move);
        if (state.state !== 'synchronised' || !after)
          throw volmoveError('BackendRefused', { place: place(move.source), reason: 'the move was not begun' });
        // an earlier call may have died between the second name and its way to the disk
        await syncParent(to);
        await unlink(from);
        return after;
      }),
    abort: (move) =>
      under(move, async () => {
        // the other pool may be away, which holds nothing up when nothing was begun there
        if (await isUntouched(await pathOf(move.source), move.source)) return;
        const { state } = await stateOf(move);
        if (state === 'finished')
          throw volmoveError('BackendRefused', {
            place: place(move.source),
            reason: 'the move has been finished already',
          });
        if (state === 'synchronised') await unlink((await both(move)).to);
      }),
  };
};

/** Which pools are directories of one file system, as this host has it mounted. */
export const fileSystemOf = async (path: string): Promise<string> => `file-system-${(await stat(path)).dev}`;
