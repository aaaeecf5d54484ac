import type { Chance } from '../helpers/sim/random.ts';

/** What is done to a migration, and when: drawn from the seed before it begins. */
export interface Blow {
  readonly kind: 'kill' | 'freeze';
  readonly whom: readonly Role[];
  /** When so much has been written since the blow before, and so long after that. */
  readonly afterBytes: number;
  readonly afterMs: number;
  /** How long it stays down, or frozen. */
  readonly downMs: number;
}

export type Role = 'source' | 'destination' | 'cloud';

/** A freeze outlasts the agents' patience with a silent peer, and most of them the lease of six seconds, too. */
export const PEER_ANSWER_SECONDS = 5;
const LONGEST_FREEZE_MS = 10_000;
const LONGEST_DOWN_MS = 300;
const LONGEST_WAIT_MS = 500;

const KINDS = [
  { kind: 'kill', whom: ['source'], weight: 42 },
  { kind: 'kill', whom: ['destination'], weight: 42 },
  { kind: 'kill', whom: ['source', 'destination'], weight: 8 },
  { kind: 'kill', whom: ['cloud'], weight: 5 },
  { kind: 'freeze', whom: ['source'], weight: 1.5 },
  { kind: 'freeze', whom: ['destination'], weight: 1.5 },
] as const;

/** One in four comes before the copy has got its breath back: while an agent starts, or negotiates, or has just gone on. */
export const drawBlow = (chance: Chance, mostBytes: number): Blow => {
  const { kind, whom } = chance.weighed(KINDS) ?? KINDS[0];
  const soon = chance.happens(0.25);
  const freezeMs = PEER_ANSWER_SECONDS * 1000 + chance.below(LONGEST_FREEZE_MS - PEER_ANSWER_SECONDS * 1000);
  return {
    kind,
    whom,
    afterBytes: soon ? 0 : chance.below(mostBytes),
    afterMs: soon ? chance.below(LONGEST_WAIT_MS) : 0,
    downMs: kind === 'freeze' ? freezeMs : chance.below(LONGEST_DOWN_MS),
  };
};

export const countKills = (blows: readonly Pick<Blow, 'kind' | 'whom'>[]): number =>
  blows
    .filter(({ kind }) => kind === 'kill')
    .reduce((sum, { whom }) => sum + whom.filter((r) => r !== 'cloud').length, 0);
