import type { Job } from '../../../domain/job/job.ts';
import type { Migration } from '../../../domain/migration/migration.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import { createChecks } from './checks.ts';
import { drain } from './drain.ts';
import { accidents, courseOfThings, howToSweep } from './fate.ts';
import { skewedClocks } from './messages.ts';
import { guestComes, people } from './people.ts';
import { chanceOf } from './random.ts';
import { createSim, type Sim } from './sim.ts';
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

const STEPS = 420;
const REQUESTS = 8;
const ACCIDENTS = 5;
const FREEZES = 3;
const FROZEN = 0.002;
const MOST_SKEW_MS = 3_000;

const weightOf = ({ sim }: Stage, { thread, onTheNetwork }: Turn): number => {
  if (!thread.alive) return onTheNetwork ? 0.003 : 0;
  const host = thread.hostId === null ? undefined : sim.world.host(thread.hostId);
  return host?.paused ? 0 : thread.weight;
};

/** A function, a request or the sweeper dies alone; an agent dies with its process. */
const faultOf = ({ chance, mood, left, saw }: Stage, turn: Turn): Fault => {
  const { thread, changes } = turn;
  if (left.accidents <= 0 || thread.kind === 'engine' || !thread.alive) return 'none';
  const after = changes && chance.happens(0.5);
  let fault: Fault = 'none';
  if (chance.happens(0.006 * mood.death)) fault = after ? 'dies after' : 'dies before';
  else if (changes && chance.happens(0.02 * mood['lost answer'])) fault = 'answer lost';
  else if (mayFail(turn) && chance.happens(0.012 * mood.outage)) fault = after ? 'error after' : 'error before';
  if (fault === 'none') return fault;
  left.accidents -= 1;
  saw.add(fault).add(`${fault}: ${thread.kind}`);
  return fault;
};

/** What is asked of a service may fail; what a host does on its own disks is another matter. */
const mayFail = ({ thread, label }: Turn): boolean =>
  thread.kind !== 'guest' && (thread.kind !== 'agent' || /^(reads|writes|queries) (HOST|\d)/.test(label));

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

/** What nobody brings about, but what comes of it. */
const CONSEQUENCES: Readonly<Record<string, string>> = {
  HostLost: 'host lost',
  ObjectTombstoned: 'create after its removal',
  CapacityShort: 'pool too small',
  ObjectBusy: 'object busy',
};

const watchFor = ({ table }: Sim, saw: Set<string>): void =>
  table.watch((before, after) => {
    const { stage } = (after?.data ?? {}) as { stage?: Migration['stage'] | Job['stage'] };
    if (!stage || !('endedAtMs' in stage) || before?.data === after?.data) return;
    const failure = 'failure' in stage ? stage.failure : 'reason' in stage ? stage.reason : undefined;
    const seen = failure && CONSEQUENCES[failure.code];
    if (seen !== undefined) saw.add(seen);
  });

/** How far moves inside a backend have come. */
const watchMoves = ({ table }: Sim, saw: Set<string>): void =>
  table.watch((_before, after) => {
    const { claim } = (after?.data ?? {}) as Partial<Volume>;
    if (!claim?.move) return;
    saw.add('a backend moves it');
    if (claim.move.undoing) saw.add('a backend goes back');
    if (claim.phase === 'switching') saw.add('a backend switches over');
  });

export const tell = async (seed: number, options: StoryOptions = {}): Promise<Story> => {
  const chance = chanceOf(seed);
  const drawn = moodOf(chance);
  const mood = options.mood ? { ...CALM, ...options.mood } : drawn;
  let busyLeft = chance.below(5);
  const skews = skewedClocks(chance, mood.skew * MOST_SKEW_MS);
  const sim = await createSim({
    neighbours: mood.neighbour > 0 ? 1 : 0,
    skewMs: skews,
    ...(options.rules ? { rules: options.rules } : {}),
    ...(options.plant ? { plant: options.plant } : {}),
    isBusy: () => busyLeft > 0 && chance.happens(0.3) && busyLeft-- > 0,
  });
  const checks = createChecks(sim);
  const saw = new Set<string>();
  const left = { requests: REQUESTS, accidents: ACCIDENTS, freezes: FREEZES };
  const stage: Stage = { sim, checks, chance, mood, options, saw, left, absentUntilMs: new Map() };
  sim.table.lags = () => chance.happens(0.3 * mood['stale index']);
  if (mood.skew > 0) saw.add('clocks differ');
  watchFor(sim, saw);
  watchMoves(sim, saw);
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
