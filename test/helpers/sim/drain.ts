import type { SweepCommand } from '../../../functions/upkeep/sweep.ts';
import type { Checks } from './checks.ts';
import { freeVolume } from './guest.ts';
import type { Sim } from './sim.ts';
import type { Fault, Turn } from './turns.ts';

/**
 * What a fair world does with whatever was left: everybody gets turns, hosts are back, time passes and the sweeper comes by,
 * until nothing changes any more.
 */
export interface DrainOptions {
  /** Which of the waiting turns is next; the oldest unless said otherwise. */
  readonly choose?: (turns: readonly Turn[]) => Turn | undefined;
  readonly trace?: (line: string) => void;
  /** How each pass of the sweeper is; false: nobody comes by. A plain pass unless said otherwise. */
  readonly sweeper?: false | (() => SweepCommand);
  /** Rounds for which whoever is frozen stays frozen, so that it comes when everything is over. */
  readonly thawAfter?: number;
  /** Called when all is quiet for the first time: somebody may use the volume while others are still frozen. */
  readonly visit?: () => void;
  /** An accident that befalls a turn; none unless said otherwise. */
  readonly fault?: (turn: Turn) => Fault;
  /** False: what may never be is looked for at the end alone; for worlds that are too large to look at after every turn. */
  readonly everyTurn?: boolean;
}

const ROUNDS = 40;
/** Longer than the longest pause between two tries of a removal. */
const ROUND_MS = 11 * 60_000;
const TURNS_A_ROUND = 5_000;
const LOOKS_IN_VAIN = 30;

export const drain = async (sim: Sim, checks: Checks, options: DrainOptions = {}): Promise<string | undefined> => {
  const { choose = (turns) => turns[0], trace = () => undefined, thawAfter = 0, fault = () => 'none' } = options;
  const { sweeper = () => ({ full: false }), everyTurn = true } = options;
  let round = 0;
  const awake = ({ thread }: Turn): boolean => (thread.alive && thread.weight === 1) || round >= thawAfter;

  /** Lets everything happen that can, with no time passing. */
  const calm = async (): Promise<string | undefined> => {
    let looks = 0;
    for (let n = 0; n < TURNS_A_ROUND; n++) {
      for (const job of sim.agents.ready()) sim.agents.begin(job);
      const turn = choose(sim.turns.pending().filter(awake));
      if (!turn) return undefined;
      // an agent without a lease looks, and may not begin anything until time has passed
      looks = turn.label.startsWith('looks for') ? looks + 1 : 0;
      if (looks > LOOKS_IN_VAIN) return undefined;
      const befalls = fault(turn);
      trace(`~ ${turn.thread.name} ${turn.label}${befalls === 'none' ? '' : ` (${befalls})`}`);
      await sim.turns.take(turn, befalls);
      const broken = everyTurn ? checks.broken() : undefined;
      if (broken !== undefined) return broken;
    }
    return 'livelock: there is always something more to do';
  };

  for (const host of sim.world.hosts.values()) sim.agents.restart(host.id);
  let broken = await calm();
  options.visit?.();
  broken ??= await calm();
  if (broken !== undefined) return broken;
  for (const { id } of sim.table.peek.volumes()) sim.spawn('owner', 'api', (deps) => freeVolume(deps, id));
  for (let still = 0; round < ROUNDS && (still < 2 || round <= thawAfter + 2); round++) {
    await sim.passTime(ROUND_MS);
    sim.table.catchUp();
    const before = sim.table.writes();
    const command = sweeper === false ? undefined : sweeper();
    if (command) sim.sweep(command);
    broken = await calm();
    if (broken !== undefined) return broken;
    still = command?.full ? still : sim.table.writes() === before ? still + 1 : 0;
  }
  return checks.broken() ?? checks.unfinished();
};
