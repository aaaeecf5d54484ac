import { VolmoveError } from '../../../domain/error.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import { resetStatus } from '../../../domain/volume/reset.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { VOLUME_ID } from '../factories.ts';
import { type Checks, createChecks } from './checks.ts';
import { drain } from './drain.ts';
import { type Session, useVolume } from './guest.ts';
import { type Chance, chanceOf } from './random.ts';
import { requestCancel, requestMigration, requestRemoval } from './requests.ts';
import { createSim, HOSTS, placeOn, type Sim, type SimOptions } from './sim.ts';
import type { Fault, Thread, Turn } from './turns.ts';

/** One random story: requests, steps, agents and accidents in an order that the seed decides, then a fair end. */
export interface Story {
  readonly seed: number;
  /** The first thing that may never happen, or that was left undone. */
  readonly broken: string | undefined;
  readonly trace: readonly string[];
  /** What the story has been through, for knowing what a search has covered. */
  readonly saw: ReadonlySet<string>;
}

export interface ChaosOptions extends Pick<SimOptions, 'rules' | 'plant'> {
  /** Without it nobody comes by; a planted bug. */
  readonly sweeper?: boolean;
  readonly steps?: number;
}

interface Move {
  readonly weight: number;
  readonly label: string;
  readonly act: () => Promise<unknown> | unknown;
}

interface Stage {
  readonly sim: Sim;
  readonly checks: Checks;
  readonly chance: Chance;
  readonly options: ChaosOptions;
  readonly saw: Set<string>;
  /** How many of each are still to come. */
  readonly left: { requests: number; accidents: number; freezes: number };
}

const STEPS = 320;
const REQUESTS = 9;
const ACCIDENTS = 6;
const FROZEN = 0.002;

/** A request that is refused is an answer, not an accident. */
const answered = async (request: Promise<unknown>): Promise<void> => {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof VolmoveError)) throw error;
  }
};

const request = (stage: Stage, weight: number, label: string, act: (deps: Deps, thread: Thread) => Promise<unknown>): Move => ({
  weight,
  label,
  act: () => {
    stage.left.requests -= 1;
    stage.saw.add(label);
    const kind = label.startsWith('guest') ? 'guest' : 'api';
    return stage.sim.spawn(label, kind, (deps, thread) => answered(act(deps, thread)));
  },
});

const MANNERS: readonly Session['manner'][] = ['attached', 'connected', 'rude'];

const guest = (stage: Stage, weight: number): Move => {
  const { sim, checks, chance } = stage;
  const { turns, world, table } = sim;
  const volume = (): Volume | undefined => table.peek.volumes().find(({ id }) => id === VOLUME_ID);
  const onLostObject = (name: string): void => checks.accuse(`a guest writes to ${name}, which is not there`);
  return request(stage, weight, 'guest', (deps, thread) =>
    useVolume({ turns, world, volume, onLostObject }, deps, thread, {
      volumeId: VOLUME_ID,
      guestId: `guest-${table.writes()}`,
      writes: 1 + chance.below(3),
      manner: MANNERS[chance.below(MANNERS.length)] ?? 'rude',
    }),
  );
};

const requests = (stage: Stage): Move[] => {
  const { sim, chance, left } = stage;
  if (left.requests <= 0) return [];
  const { table } = sim;
  const hasMoved = table.peek.volumes().some(({ lastOutcome }) => lastOutcome?.result === 'success');
  const active = table.peek.migrations().filter((migration) => !isEnded(migration));
  const idle = active.length === 0 && sim.turns.pending().length === 0;
  return [
    request(stage, idle ? 2 : 0.04, 'migrate', (deps) => {
      const destination = placeOn(HOSTS[chance.below(HOSTS.length)] ?? 'host-a');
      const sourceRetentionSeconds = chance.happens(0.3) ? 20 : 0;
      const migration = { lock: chance.happens(0.3), sourceRetentionSeconds };
      return requestMigration(deps, { destination, options: migration });
    }),
    request(stage, idle ? 0.5 : 0.02, 'migrate, to be repeated', (deps) =>
      requestMigration(deps, { destination: placeOn('host-b'), key: 'the same' }),
    ),
    ...active.map(({ id }) => request(stage, 0.004, 'cancel', (deps) => requestCancel(deps, id))),
    guest(stage, hasMoved ? 0.03 : 0.01),
    request(stage, 0.002, 'reset', (deps) =>
      deps.store.volumes.apply([VOLUME_ID], resetStatus({ migrationStatus: null, nowMs: deps.clock.nowMs() })),
    ),
    request(stage, 0.0015, 'delete', (deps) => requestRemoval(deps)),
  ];
};

const accidents = (stage: Stage): Move[] => {
  const { sim, chance, left, saw } = stage;
  if (left.accidents <= 0) return [];
  const accident = (weight: number, label: string, act: () => unknown): Move => ({
    weight,
    label,
    act: () => {
      left.accidents -= 1;
      saw.add(label.split(':')[0] ?? label);
      return act();
    },
  });
  const up = [...sim.world.hosts.values()].filter((host) => host.up && !host.paused);
  const running = sim.engine.executions().filter((execution) => execution.status.state === 'RUNNING');
  const copies = [...sim.world.objects.values()].filter(({ name }) => !isKept(sim, name));
  return [
    ...up.map(({ id }) => accident(isSending(sim, id) ? 0.15 : 0.001, `crash: ${id}`, () => sim.agents.crash(id))),
    ...up.map((host) => accident(0.002, `pause: ${host.id}`, () => Object.assign(host, { paused: true }))),
    ...running.map((x) => accident(0.005, `abort: ${x.name}`, () => sim.engine.abort(x, chance.happens(0.5) ? 'ABORTED' : 'FAILED'))),
    ...running.filter((x) => x.task).map((x) => accident(0.008, `time-out: ${x.name} in ${x.state}`, () => sim.engine.timeOut(x))),
    ...copies.map((object) =>
      accident(0.006, `bit flip: ${object.name}`, () => {
        object.content = [object.content[0], -2];
      }),
    ),
  ];
};

/** It is about to put bytes on the network: they may arrive long after it has died. */
const isSending = ({ turns }: Sim, hostId: string): boolean =>
  turns.pending().some(({ thread, onTheNetwork }) => onTheNetwork && thread.hostId === hostId);

/** Nothing protects what the volume lives on or keeps from rotting; only a copy is proved. */
const isKept = ({ table, world }: Sim, name: string): boolean =>
  table.peek.volumes().some(({ location, retained }) => [location, ...retained.map((r) => r.object)].some((o) => o?.objectName === name)) ||
  [...world.hosts.values()].some((host) => [...host.exports.values()].some((e) => e.objectName === name && e.asked));

const upkeep = ({ sim, chance, options }: Stage): Move[] => {
  const sweepers = sim.turns.threads().filter(({ kind, alive, name }) => kind === 'upkeep' && alive && name === 'sweeper');
  const busy = sim.turns.pending().filter(({ thread }) => sweepers.includes(thread)).length;
  const down = [...sim.world.hosts.values()].filter((host) => !host.up || host.paused);
  return [
    { weight: 0.08, label: 'time passes', act: () => sim.passTime(500 + chance.below(5_000)) },
    { weight: busy < 2 && options.sweeper !== false ? 0.06 : 0, label: 'the sweeper comes', act: () => sim.sweep() },
    ...(options.sweeper === false ? [] : sim.statusEvents).map((execution) => ({
      weight: execution.machine === 'migrate-volume' ? 0.1 : 0,
      label: `the reconciler hears of ${execution.name}`,
      act: () => {
        sim.statusEvents.splice(sim.statusEvents.indexOf(execution), 1);
        sim.reconcile(execution);
      },
    })),
    ...down.map(({ id }) => ({ weight: 0.1, label: `restart: ${id}`, act: () => sim.agents.restart(id) })),
    ...sim.agents.ready().map((job) => ({ weight: 0.5, label: `agent begins ${job.id}`, act: () => sim.agents.begin(job) })),
  ];
};

const weightOf = ({ sim }: Stage, { thread, onTheNetwork }: Turn): number => {
  const host = thread.hostId === null ? undefined : sim.world.host(thread.hostId);
  if (!thread.alive) return onTheNetwork ? 0.005 : 0;
  if (host?.paused) return 0;
  return thread.weight;
};

/** A function, a request or the sweeper dies alone; an agent dies with its process. */
const takeTurn = async (stage: Stage, turn: Turn): Promise<string> => {
  const { sim, chance, left, saw } = stage;
  let fault: Fault = 'none';
  if (left.accidents > 0 && turn.thread.kind !== 'engine' && turn.thread.alive && chance.happens(0.01)) {
    const faults: Fault[] = turn.changes ? ['dies before', 'dies after', 'answer lost'] : ['dies before'];
    fault = faults[chance.below(faults.length)] ?? 'none';
    left.accidents -= 1;
    saw.add(fault);
  }
  if (fault === 'none' && left.freezes > 0 && chance.happens(freezing(turn))) return freeze(stage, turn);
  if (turn.thread.weight < 1) saw.add('late');
  await sim.turns.take(turn, fault);
  if (fault.startsWith('dies') && turn.thread.hostId !== null) sim.agents.crash(turn.thread.hostId);
  return `${turn.thread.name} ${turn.label}${fault === 'none' ? '' : ` (${fault})`}`;
};

/** Writes to the volume decide everything: before them a frozen thread is worth most. */
const freezing = ({ thread, label, changes }: Turn): number => {
  if (thread.weight < 1 || (!changes && thread.kind !== 'agent')) return 0;
  return label.startsWith('writes VOLUME#') && thread.kind !== 'guest' ? 0.25 : 0.03;
};

/** Between its read and its write; whoever waits for it may or may not lose patience, and a guest may come. */
const freeze = (stage: Stage, { thread, label }: Turn): string => {
  const { sim, chance, saw, left } = stage;
  left.freezes -= 1;
  thread.weight = FROZEN;
  saw.add('frozen');
  if (left.requests > 0 && chance.happens(0.4)) guest(stage, 1).act();
  const waiting = sim.engine.executions().find((x) => x.task && thread.name === `${x.name} ${x.state}`);
  if (waiting && chance.happens(0.7)) sim.engine.timeOut(waiting);
  return `${thread.name} freezes before it ${label}`;
};

const step = async (stage: Stage): Promise<string | undefined> => {
  const { sim, chance } = stage;
  const turns = sim.turns.pending().map((turn) => ({ weight: weightOf(stage, turn), turn }));
  const moves = [...requests(stage), ...accidents(stage), ...upkeep(stage)].map((move) => ({ ...move, move }));
  const chosen = chance.weighed<{ weight: number; turn?: Turn; move?: Move }>([...turns, ...moves]);
  if (chosen?.turn) return takeTurn(stage, chosen.turn);
  if (!chosen?.move) return undefined;
  await chosen.move.act();
  return chosen.move.label;
};

export const tell = async (seed: number, options: ChaosOptions = {}): Promise<Story> => {
  const chance = chanceOf(seed);
  const busyUntil = 1 + chance.below(3);
  let removals = 0;
  const sim = await createSim({
    ...(options.rules ? { rules: options.rules } : {}),
    ...(options.plant ? { plant: options.plant } : {}),
    isBusy: () => chance.happens(0.2) && removals++ < busyUntil,
    onThread: (thread) => {
      if (thread.kind !== 'engine' && chance.happens(0.03)) thread.weight = 0.02;
    },
  });
  const checks = createChecks(sim);
  const saw = new Set<string>();
  const left = { requests: REQUESTS, accidents: chance.below(ACCIDENTS + 1), freezes: chance.below(4) };
  const stage: Stage = { sim, checks, chance, options, saw, left };
  const trace: string[] = [];
  for (let n = 0; n < (options.steps ?? STEPS); n++) {
    const label = await step(stage);
    if (label === undefined) break;
    trace.push(label);
    const broken = checks.broken();
    if (broken !== undefined) return { seed, broken, trace, saw };
  }
  const broken = await drain(sim, checks, {
    choose: (turns) => turns[chance.below(turns.length)],
    thawAfter: chance.below(5),
    trace: (line) => trace.push(line),
    sweeper: options.sweeper ?? true,
  });
  for (const result of checks.outcomes.values()) saw.add(result);
  return { seed, broken, trace, saw };
};
