import type { Chance } from '../helpers/sim/random.ts';
import { BLOCK_BYTES, type Content } from './content.ts';

/** What happens in a round, and when: drawn from the seed before it begins. Real time alone is not the seed's. */
export interface Plan {
  readonly moves: readonly Asked[];
  readonly disturbances: readonly Disturbance[];
  readonly faults: readonly Fault[];
}

/** A migration to be asked for; which volume and place the numbers mean depends on what is there then. */
export interface Asked {
  readonly atMs: number;
  /** Idempotency-Key. */
  readonly key: string;
  readonly pick: number;
  readonly toPick: number;
  readonly lock: boolean;
  /** Null: as fast as it goes. */
  readonly bytesPerSecond: number | null;
}

/** What somebody does to a volume in mid-flight, through the API. */
export interface Disturbance {
  readonly atMs: number;
  readonly pick: number;
  readonly act: (typeof ACTS)[number]['act'];
  /** What a guest writes while it has the volume, and for how long it has it. */
  readonly blocks: Content;
  readonly heldMs: number;
}

export interface Fault {
  readonly kind: 'kill' | 'freeze';
  readonly atMs: number;
  readonly whom: readonly string[];
  /** How long it stays down, or frozen. */
  readonly forMs: number;
}

export interface Timings {
  /** An agent stops its I/O when no heartbeat was answered for so long. */
  readonly leaseMs: number;
  readonly hostLostAfterMs: number;
}

const MIB = 1024 * 1024;
const ROUND_MS = 8_000;
/** Within which most are asked to move. */
const SOON_MS = 2_000;
const MOST_FAULTS = 3;
const PICKS = 1 << 20;
const VOLUME_BLOCKS = 1024 ** 3 / BLOCK_BYTES;

const ACTS = [
  { act: 'attach', weight: 4 },
  { act: 'reserve', weight: 2 },
  { act: 'cancel', weight: 4 },
  { act: 'pause', weight: 2 },
  { act: 'delete', weight: 2 },
  { act: 'create', weight: 1 },
] as const;

const FREEZES = [
  { kind: 'short', weight: 5 },
  { kind: 'longer than the lease', weight: 4 },
  { kind: 'longer than host_lost_after', weight: 2 },
] as const;

const VICTIMS = [
  { of: 'agent', weight: 5 },
  { of: 'cloud', weight: 3 },
  { of: 'two agents', weight: 1.5 },
  { of: 'cloud and agent', weight: 1 },
  { of: 'everybody', weight: 0.5 },
] as const;

const victimsOf = (chance: Chance, agents: readonly string[]): readonly string[] => {
  const first = chance.below(agents.length);
  const agent = agents[first] ?? '';
  const other = agents[(first + 1 + chance.below(agents.length - 1)) % agents.length] ?? '';
  switch ((chance.weighed(VICTIMS) ?? VICTIMS[0]).of) {
    case 'agent':
      return [agent];
    case 'cloud':
      return ['cloud'];
    case 'two agents':
      return [agent, other];
    case 'cloud and agent':
      return ['cloud', agent];
    case 'everybody':
      return ['cloud', ...agents];
  }
};

const freezeMs = (chance: Chance, { leaseMs, hostLostAfterMs }: Timings): number => {
  switch ((chance.weighed(FREEZES) ?? FREEZES[0]).kind) {
    case 'short':
      return 100 + chance.below(1_000);
    case 'longer than the lease':
      return leaseMs + 100 + chance.below(1_000);
    case 'longer than host_lost_after':
      return hostLostAfterMs + 500 + chance.below(1_500);
  }
};

const drawFault = (chance: Chance, agents: readonly string[], timings: Timings): Fault => {
  const kind = chance.happens(0.3) ? 'freeze' : 'kill';
  // most of them meet what has been asked for
  const atMs = chance.happens(0.2) ? chance.below(SOON_MS) : SOON_MS + chance.below(ROUND_MS - SOON_MS);
  const whom = victimsOf(chance, agents);
  return { kind, atMs, whom, forMs: kind === 'freeze' ? freezeMs(chance, timings) : chance.below(600) };
};

const drawMove = (chance: Chance): Asked => ({
  // most of them at once: what is asked for later may meet parts that are down
  atMs: chance.happens(0.7) ? 0 : chance.below(chance.happens(0.5) ? SOON_MS : ROUND_MS),
  key: `move-${chance.below(2 ** 32)}-${chance.below(2 ** 32)}`,
  pick: chance.below(PICKS),
  toPick: chance.below(PICKS),
  lock: chance.happens(0.5),
  bytesPerSecond: chance.happens(0.7) ? Math.round((0.5 + 3 * chance.next()) * MIB) : null,
});

/** Runs of a few blocks that hold data or zeroes, spread over the volume: sparse, and together a few MiB at the most. */
export const drawContent = (chance: Chance, mostRuns: number): Content => {
  const content: Content = new Map();
  for (let run = 1 + chance.below(mostRuns); run > 0; run--) {
    const first = chance.below(VOLUME_BLOCKS - 32);
    const zeroes = chance.happens(0.2);
    for (let i = 0; i <= chance.below(32); i++) content.set(first + i, zeroes ? 0 : 1 + chance.below(PICKS));
  }
  return content;
};

const drawDisturbance = (chance: Chance): Disturbance => ({
  atMs: chance.below(ROUND_MS),
  pick: chance.below(PICKS),
  act: (chance.weighed(ACTS) ?? ACTS[0]).act,
  blocks: drawContent(chance, 2),
  heldMs: chance.below(800),
});

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/** As many moves as there are volumes: all of them are to be in flight when the faults strike. */
export const drawPlan = (chance: Chance, volumes: number, agents: readonly string[], timings: Timings): Plan => ({
  moves: times(volumes, () => drawMove(chance)),
  disturbances: times(2 + chance.below(5), () => drawDisturbance(chance)),
  faults: times(1 + chance.below(MOST_FAULTS), () => drawFault(chance, agents, timings)),
});
