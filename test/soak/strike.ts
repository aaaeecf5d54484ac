import { setTimeout as sleep } from 'node:timers/promises';
import { type Rig, until } from '../system/rig.ts';
import type { Blow } from './blows.ts';
import { type Move, pastCopying } from './move.ts';

/** Waits for a blow's moment, and deals it. */
const ASK_EVERY = 8;
/** What was on its way to a survivor arrives. */
const ECHO_MS = 120;
const MOVES_BYTES = 1024 * 1024;
/** Two reports. */
const REPORTED_MS = 500;

/** Until so much more was written, or the copy is over. */
const written = async (rig: Rig, move: Move, bytes: number): Promise<void> => {
  const from = (await move.moved()).written;
  let polls = 0;
  await until(`${bytes} more bytes are written`, async () => {
    if ((await move.moved()).written - from >= bytes) return true;
    return polls++ % ASK_EVERY === 0 && pastCopying((await rig.migration(move.id)).phase);
  });
};

/** False when the migration has ended before. */
export const momentOf = async (rig: Rig, move: Move, { afterBytes, afterMs }: Blow): Promise<boolean> => {
  await written(rig, move, afterBytes);
  await sleep(afterMs);
  return !['succeeded', 'failed', 'refused'].includes((await rig.migration(move.id)).state);
};

/**
 * Sees the copy through after the last blow. Returns how many more attempts there were once it moved again: begun by the agents
 * themselves, when a busy machine kept them from a heartbeat or an answer for too long.
 */
export const attemptsUnasked = async (rig: Rig, move: Move): Promise<number> => {
  await written(rig, move, MOVES_BYTES);
  await sleep(REPORTED_MS);
  const seen: number[] = [];
  await until('the copy is over', async () => {
    const { phase, progress } = await rig.migration(move.id);
    if (pastCopying(phase)) return true;
    if (progress) seen.push(progress.attempt);
    return false;
  });
  return seen.length === 0 ? 0 : Math.max(...seen) - Math.min(...seen);
};

/** Frozen first, so that its books can be read: the kill finds it in the very same state. */
const kill = async (rig: Rig, move: Move, { whom, downMs }: Blow, whileDown: () => Promise<void>): Promise<void> => {
  for (const role of whom) rig.freeze(move.hosts[role]);
  for (const role of whom) {
    move.counters[role].buried(await move.counters[role].settled());
    await rig.kill(move.hosts[role]);
  }
  await sleep(Math.max(ECHO_MS, downMs));
  await whileDown();
  await Promise.all(whom.map((role) => rig.start(move.hosts[role])));
};

const freeze = async (rig: Rig, move: Move, { whom, downMs }: Blow): Promise<void> => {
  for (const role of whom) rig.freeze(move.hosts[role]);
  await sleep(downMs);
  for (const role of whom) rig.thaw(move.hosts[role]);
};

export const strike = (rig: Rig, move: Move, blow: Blow, whileDown: () => Promise<void>): Promise<void> => {
  switch (blow.kind) {
    case 'kill':
      return kill(rig, move, blow, whileDown);
    case 'freeze':
      return freeze(rig, move, blow);
  }
};
