import { VolmoveError } from '../../../domain/error.ts';
import type { VolmoveEvent } from '../../../domain/event.ts';
import { newPool } from '../../../domain/host/capacity.ts';
import { createdObjectName } from '../../../domain/names.ts';
import type { Placement } from '../../../domain/placement.ts';
import { GIB } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { reconcile } from '../../../functions/upkeep/reconcile.ts';
import { type SweepCommand, sweep } from '../../../functions/upkeep/sweep.ts';
import { createStore } from '../../../store/store.ts';
import { type FakeClock, fakeClock } from '../clock.ts';
import { SETTINGS } from '../deps.ts';
import { aHost, anObject, aPoolReport, aVolume, VOLUME_ID } from '../factories.ts';
import { type Agents, createAgents } from './agent.ts';
import { createEngine, type Engine, type Execution } from './executions.ts';
import { createMessages, type Messages } from './messages.ts';
import { createTable, type Table } from './table.ts';
import { createTurns, Outage, quiet, type Thread, type ThreadKind, type Turns } from './turns.ts';
import { type AgentRules, createWorld, type World } from './world.ts';

/**
 * The whole protocol in memory: the real rules, use cases and state machine files over a real store in memory, with the
 * agents’ real jobs on simulated storage. Who goes on next is the caller's choice, turn by turn.
 */
export interface Sim {
  readonly turns: Turns;
  readonly table: Table;
  readonly world: World;
  readonly engine: Engine;
  readonly agents: Agents;
  readonly messages: Messages;
  readonly clock: FakeClock;
  readonly events: VolmoveEvent[];
  /** Errors that no part of the design expects; the first one fails the test. */
  readonly errors: unknown[];
  /** What the sweeper and the reconciler could not look after: the next pass tries again. */
  readonly problems: unknown[];
  /** Status events of executions that nobody has delivered yet. */
  readonly statusEvents: Execution[];
  readonly depsOf: (thread: Thread, functionName?: string) => Deps;
  /** Starts a thread; what it rejects with is collected, unless it is one of ours. */
  readonly spawn: (name: string, kind: ThreadKind, act: (deps: Deps, thread: Thread) => Promise<unknown>) => Thread;
  readonly sweep: (command?: SweepCommand) => Thread;
  readonly reconcile: (execution: Execution) => Thread;
  readonly passTime: (ms: number) => Promise<void>;
}

export interface SimOptions {
  readonly rules?: AgentRules;
  /** Changes what one thread is given: how a planted bug gets in. */
  readonly plant?: (deps: Deps, thread: Thread, functionName: string | undefined) => Deps;
  readonly isBusy?: (objectName: string) => boolean;
  /** How far the clock of a party is from the true time: of a host, or of a thread that is no agent's. */
  readonly skewMs?: (party: string) => number;
  /** More volumes, which nobody writes to: they want the same places. */
  readonly neighbours?: number;
  /** Room in each pool, in volumes. */
  readonly room?: number;
  /** Called for every Lambda that starts; a slow one can be given less weight. */
  readonly onThread?: (thread: Thread) => void;
}

export const HOSTS = ['host-a', 'host-b', 'host-c'] as const;
export const placeOn = (hostId: string, pool = 'ssd'): Placement => ({ hostId, backend: 'files', pool });
/** Another pool of the same storage system: the backend moves volumes there by itself. */
export const INSIDE = placeOn('host-a', 'vault');
export const FIRST_OBJECT = createdObjectName(VOLUME_ID, 1);
export const neighbourId = (n: number): string => `99999999-9999-4999-8999-${String(n).padStart(12, '0')}`;
/** What a neighbour holds from the beginning to the end. */
const NEIGHBOUR_CONTENT = 9_999;
/** Two volumes do not fit into one pool. */
const ROOM = 1.5;
/** A pause ends before the story does. */
const STORY_SETTINGS = { ...SETTINGS, pauseMaxMs: 60_000 };

const addVolume = async (table: Table, world: World, id: string, hostId: string, content: number): Promise<void> => {
  const name = createdObjectName(id, 1);
  const place = placeOn(hostId);
  world.make(place, name);
  const made = world.objects.get(name);
  if (made) made.content = [content, content];
  await createStore(table.records).volumes.create(aVolume({ id, location: anObject(name, place), placement: place }));
};

/** Hosts with their pools, one volume on the first of them, and its neighbours on the last. */
const fill = async (table: Table, world: World, nowMs: number, options: SimOptions): Promise<void> => {
  const store = createStore(table.records);
  const { neighbours = 0, room = ROOM } = options;
  for (const id of HOSTS) {
    const sizes = { totalBytes: 100_000 * GIB, freeBytes: room * GIB };
    const systemId = `system-of-${id}`;
    const report = aPoolReport({ poolId: `pool-of-${id}`, ...sizes, systemId });
    const vault = { ...report, name: INSIDE.pool, poolId: `vault-of-${id}` };
    const pools = id === INSIDE.hostId ? [report, vault] : [report];
    const backend = { name: 'files', driver: 'file', migrationProgressReport: true };
    const backends = [{ ...backend, attachDuringMove: 'forbidden' as const, pools }];
    await store.hosts.create(aHost(id, { backends, heartbeatAtMs: nowMs }));
    for (const { poolId, totalBytes, freeBytes } of pools)
      await store.pools.create(newPool(poolId, totalBytes, freeBytes, nowMs));
  }
  await addVolume(table, world, VOLUME_ID, 'host-a', 0);
  for (let n = 1; n <= neighbours; n++) await addVolume(table, world, neighbourId(n), 'host-c', NEIGHBOUR_CONTENT);
};

const idsInOrder = (): (() => string) => {
  let ids = 0;
  return () => `${String(++ids).padStart(8, '0')}-0000-4000-8000-000000000000`;
};

interface Given extends Pick<Sim, 'turns' | 'table' | 'clock' | 'events' | 'messages'> {
  readonly skewMs: (of: string) => number;
  readonly newId: () => string;
  readonly engine: () => Sim['engine'];
}

/** What a function's code, a request's or an agent's is given: whatever it asks of a service is a turn of its thread. */
const depsOver = ({ turns, table, clock, events, messages, skewMs, newId, engine }: Given, thread: Thread): Deps => ({
  store: createStore(table.recordsOf(thread)),
  notifier: {
    notify: (told) => {
      const act = (): void => void events.push(...structuredClone([...told]));
      return turns.turn(thread, `tells ${told.map((e) => e.detailType).join(', ')}`, act, { again: act });
    },
  },
  tasks: engine().tasksOf(thread),
  queues: {
    look(hostId) {
      const act = (): void => messages.send(hostId);
      return turns.turn(thread, `sends a look to ${hostId}`, act, { again: act });
    },
  },
  executions: engine().executionsOf(thread),
  clock: { nowMs: () => clock.nowMs() + skewMs(thread.hostId ?? thread.name) },
  newId,
  sleep: async () => undefined,
  settings: STORY_SETTINGS,
});

export const createSim = async (options: SimOptions = {}): Promise<Sim> => {
  const turns = createTurns();
  const table = createTable(turns);
  const world = createWorld(HOSTS, options.rules);
  const clock = fakeClock();
  const events: VolmoveEvent[] = [];
  const errors: unknown[] = [];
  const problems: unknown[] = [];
  const statusEvents: Execution[] = [];
  const messages = createMessages();
  const skewMs = options.skewMs ?? (() => 0);
  /** A service that does not answer is nobody's mistake: the caller is told so, or tries again. */
  const onError = (error: unknown): void => {
    if (!(error instanceof Outage)) errors.push(error);
  };
  await fill(table, world, clock.nowMs(), options);

  const newThread = (name: string, kind: ThreadKind, hostId?: string): Thread => {
    const thread = turns.newThread(name, kind, hostId);
    options.onThread?.(thread);
    return thread;
  };
  const given = { turns, table, clock, events, messages, skewMs, newId: idsInOrder(), engine: () => engine };
  const depsOf = (thread: Thread, functionName?: string): Deps => {
    const deps = depsOver(given, thread);
    return options.plant?.(deps, thread, functionName) ?? deps;
  };
  const engine = createEngine({
    turns,
    clock,
    depsOf,
    newLambda: (name) => newThread(name, 'lambda'),
    onEnd: (execution) => {
      if (execution.status.state !== 'SUCCEEDED') statusEvents.push(execution);
    },
    onError,
  });
  const agents = createAgents(
    { turns, world, clock, jobsOf: table.peek.jobsOf, depsOf, isBusy: options.isBusy ?? (() => false) },
    onError,
  );
  const spawn: Sim['spawn'] = (name, kind, act) => {
    const thread = newThread(name, kind);
    act(depsOf(thread), thread).catch(onError);
    return thread;
  };
  const passTime = async (ms: number): Promise<void> => {
    clock.advanceMs(ms);
    const { hosts } = createStore(table.records);
    for (const { id, up, paused } of world.hosts.values()) {
      if (!up || paused) continue;
      const heartbeatAtMs = clock.nowMs() + skewMs(id);
      await hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, heartbeatAtMs } }));
    }
    engine.timeOutWhatIsDue();
    agents.timePassed();
    await quiet();
  };

  return {
    turns,
    table,
    world,
    engine,
    agents,
    messages,
    clock,
    events,
    errors,
    problems,
    statusEvents,
    depsOf,
    spawn,
    passTime,
    sweep: (command = { full: false }) =>
      spawn('sweeper', 'upkeep', async (deps) => void problems.push(...(await sweep(deps)(command)).problems)),
    reconcile: ({ input, status }) =>
      spawn('reconciler', 'upkeep', async (deps) => {
        try {
          await reconcile(deps)({ ...(input as { migrationId: string; run: number }), status });
        } catch (error) {
          if (!(error instanceof VolmoveError)) throw error;
          problems.push(error);
        }
      }),
  };
};
