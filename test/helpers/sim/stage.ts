import type { Checks } from './checks.ts';
import type { Chance } from './random.ts';
import type { Sim, SimOptions } from './sim.ts';

/** What a random story consists of while it is told. */

export interface StoryOptions extends Pick<SimOptions, 'rules' | 'plant'> {
  /** False: nobody ever comes by; a planted bug. */
  readonly sweeper?: boolean;
  /** The kinds that a story is to be full of, and no others; drawn by the seed unless said. */
  readonly mood?: Partial<Mood>;
}

/** What can happen more or less often. */
export const KINDS = [
  'guest',
  'cancel',
  'reset',
  'delete',
  'crash',
  'pause',
  'abort',
  'time-out',
  'bit flip',
  'death',
  'lost answer',
  'freeze',
  'outage',
  'stale index',
  'skew',
  'message',
  'status event',
  'redeploy',
  'lost host',
  'neighbour',
  'hold',
  'retry',
  'restore',
  'inside',
] as const;
export type Kind = (typeof KINDS)[number];

/**
 * How likely each kind is in this story. Most stories lack most kinds and are full of the others: so the rare combinations
 * of a few come up, where a story with a little of everything would only fail early.
 */
export type Mood = Readonly<Record<Kind, number>>;

const FACTORS = [0, 0, 0, 1, 4];

export const moodOf = (chance: Chance): Mood =>
  Object.fromEntries(KINDS.map((kind) => [kind, FACTORS[chance.below(FACTORS.length)] ?? 0])) as Mood;

/** Nothing but migrations. */
export const CALM: Mood = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Mood;

export interface Stage {
  readonly sim: Sim;
  readonly checks: Checks;
  readonly chance: Chance;
  readonly mood: Mood;
  readonly options: StoryOptions;
  /** What has happened, for knowing what a search has covered. */
  readonly saw: Set<string>;
  /** How many of each are still to come. */
  readonly left: { requests: number; accidents: number; freezes: number };
  /** Hosts that stay away for long enough to be given up, and until when. */
  readonly absentUntilMs: Map<string, number>;
}

/** Something that may happen next, against the weight 1 of a thread's turn. */
export interface Move {
  readonly weight: number;
  readonly label: string;
  readonly act: () => unknown;
}
