import { createChecks } from './checks.ts';
import { drain } from './drain.ts';
import { accidents, courseOfThings, howToSweep } from './fate.ts';
import { guestComes, people } from './people.ts';
import { chanceOf } from './random.ts';
import { createSim } from './sim.ts';
import { CALM, type Move, moodOf, type Stage, type StoryOptions } from './stage.ts';
import type { Fault, Turn } from './turns.ts';

/** One random story: requests, steps, agents and accidents in an order that the seed decides, then a fair end. */
export interface Story {
  readonly seed: number;
  /** The first thing that may never happen, or that was left undone. */
  readonly broken: string | undefined;
  readonly trace: readonly string[];
  readonly saw: ReadonlySet<string>;
}

const STEPS = 280;
const REQUESTS = 8;
const ACCIDENTS = 5;
const FREEZES = 3;
const FROZEN = 0.002;

const weightOf = ({ sim }: Stage, { thread, onTheNetwork }: Turn): number => {
  if (!thread.alive) return onTheNetwork ? 0.003 : 0;
  const host = thread.hostId === null ? undefined : sim.world.host(thread.hostId);
  return host?.paused ? 0 : thread.weight;
};

/** A function, a request or the sweeper dies alone; an agent dies with its process. */
const faultOf = ({ chance, mood, left, saw }: Stage, { thread, changes }: Turn): Fault => {
  if (left.accidents <= 0 || thread.kind === 'engine' || !thread.alive) return 'none';
  const dies = chance.happens(0.006 * mood.death);
  const isLost = changes && chance.happens(0.02 * mood['lost answer']);
  if (!dies && !isLost) return 'none';
  left.accidents -= 1;
  const fault = isLost ? 'answer lost' : changes && chance.happens(0.5) ? 'dies after' : 'dies before';
  saw.add(fault);
  return fault;
};

/** Writes to the volume decide everything: before them a frozen thread is worth most. */
const mayFreeze = ({ mood, left, chance }: Stage, { thread, label, changes }: Turn): boolean => {
  if (left.freezes <= 0 || thread.weight < 1 || (!changes && thread.kind !== 'agent')) return false;
  const decisive = label.startsWith('writes VOLUME#') && thread.kind !== 'guest';
  return chance.happens((decisive ? 0.15 : 0.02) * mood.freeze);
};

/** Between its read and its write; whoever waits for it may or may not lose patience, and a guest may come. */
const freeze = (stage: Stage, { thread, label }: Turn): string => {
  const { sim, chance, saw, left } = stage;
  left.freezes -= 1;
  thread.weight = FROZEN;
  saw.add('freeze');
  if (left.requests > 0 && chance.happens(0.3)) void guestComes(stage, 1).act();
  const waiting = sim.engine.executions().find((x) => x.task && thread.name === `${x.name} ${x.state}`);
  if (waiting && chance.happens(0.6)) sim.engine.timeOut(waiting);
  return `${thread.name} freezes before it ${label}`;
};

const takeTurn = async (stage: Stage, turn: Turn): Promise<string> => {
  const fault = faultOf(stage, turn);
  if (fault === 'none' && mayFreeze(stage, turn)) return freeze(stage, turn);
  if (turn.thread.weight < 1) stage.saw.add('late');
  if (!turn.thread.alive) stage.saw.add('arrives after its sender has died');
  await stage.sim.turns.take(turn, fault);
  if (fault.startsWith('dies') && turn.thread.hostId !== null) stage.sim.agents.crash(turn.thread.hostId);
  return `${turn.thread.name} ${turn.label}${fault === 'none' ? '' : ` (${fault})`}`;
};

/** What has happened; undefined when nothing can any more. */
const step = async (stage: Stage): Promise<string | undefined> => {
  const turns = stage.sim.turns.pending().map((turn) => ({ weight: weightOf(stage, turn), turn }));
  const moves = [...people(stage), ...accidents(stage), ...courseOfThings(stage)];
  const choices: { weight: number; turn?: Turn; move?: Move }[] = [
    ...turns,
    ...moves.map((move) => ({ weight: move.weight, move })),
  ];
  const chosen = stage.chance.weighed(choices);
  if (chosen?.turn) return takeTurn(stage, chosen.turn);
  await chosen?.move?.act();
  return chosen?.move?.label;
};

export const tell = async (seed: number, options: StoryOptions = {}): Promise<Story> => {
  const chance = chanceOf(seed);
  const drawn = moodOf(chance);
  const mood = options.mood ? { ...CALM, ...options.mood } : drawn;
  let busyLeft = chance.below(5);
  const sim = await createSim({
    ...(options.rules ? { rules: options.rules } : {}),
    ...(options.plant ? { plant: options.plant } : {}),
    isBusy: () => busyLeft > 0 && chance.happens(0.3) && busyLeft-- > 0,
  });
  const checks = createChecks(sim);
  const saw = new Set<string>();
  const left = { requests: REQUESTS, accidents: ACCIDENTS, freezes: FREEZES };
  const stage: Stage = { sim, checks, chance, mood, options, saw, left };
  const trace: string[] = [];
  for (let n = 0; n < STEPS; n++) {
    const label = await step(stage);
    if (label === undefined) break;
    trace.push(label);
    const broken = checks.broken();
    if (broken !== undefined) return { seed, broken, trace, saw };
  }
  const broken = await drain(sim, checks, {
    choose: (turns) => turns[chance.below(turns.length)],
    trace: (line) => trace.push(line),
    thawAfter: chance.below(5),
    visit: () => void guestComes(stage, 1).act(),
    sweeper: options.sweeper === false ? false : () => howToSweep(chance),
  });
  for (const result of checks.outcomes.values()) saw.add(result);
  return { seed, broken, trace, saw };
};
