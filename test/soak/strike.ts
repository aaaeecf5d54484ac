import { setTimeout as sleep } from 'node:timers/promises';
import type { Rig } from '../system/rig.ts';
import type { Blow } from './blows.ts';
import { type Move, pastCopying } from './move.ts';

/** Waits for a blow's moment, and deals it. */
const POLL_MS = 10;
const ASK_EVERY = 20;
/** What was on its way to a survivor arrives. */
const ECHO_MS = 120;

/** False when the migration has ended before. */
export const momentOf = async (rig: Rig, move: Move, blow: Blow): Promise<boolean> => {
  const from = (await move.moved()).written;
  for (let poll = 0; (await move.moved()).written - from < blow.afterBytes; poll++) {
    if (poll % ASK_EVERY === 0 && pastCopying((await rig.migration(move.id)).phase)) break;
    await sleep(POLL_MS);
  }
  await sleep(blow.afterMs);
  return !['succeeded', 'failed', 'refused'].includes((await rig.migration(move.id)).state);
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
