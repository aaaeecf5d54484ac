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
import { createTable, type Table } from './table.ts';
import { createTurns, quiet, type Thread, type ThreadKind, type Turns } from './turns.ts';
import { type AgentRules, createWorld, type World } from './world.ts';

/**
 * The whole protocol in memory: the real rules, use cases and state machine files over a real store in memory, with fake
 * agents on fake storage. Who goes on next is the caller's choice, turn by turn.
 */
export interface Sim {
  readonly turns: Turns;
  readonly table: Table;
  readonly world: World;
  readonly engine: Engine;
  readonly agents: Agents;
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
  /** Called for every Lambda that starts; a slow one can be given less weight. */
  readonly onThread?: (thread: Thread) => void;
}

export const HOSTS = ['host-a', 'host-b', 'host-c'] as const;
export const placeOn = (hostId: string): Placement => ({ hostId, backend: 'files', pool: 'ssd' });
export const FIRST_OBJECT = createdObjectName(VOLUME_ID, 1);

/** Hosts with room for one volume and a half, and one volume on the first of them. */
const fill = async (table: Table, world: World, nowMs: number): Promise<void> => {
  const store = createStore(table.records);
  for (const id of HOSTS) {
    const report = aPoolReport({ poolId: `pool-of-${id}`, freeBytes: 1.5 * GIB });
    const pools = [report];
    const backends = [{ name: 'files', driver: 'file', migrationProgressReport: true, pools }];
    await store.hosts.create(aHost(id, { backends, heartbeatAtMs: nowMs }));
    const { poolId, totalBytes, freeBytes } = report;
    await store.pools.create({ ...newPool(poolId), totalBytes, freeBytes, reportedAtMs: nowMs });
  }
  world.make(placeOn('host-a'), FIRST_OBJECT);
  for (const object of world.objects.values()) object.content = [0, 0];
  await store.volumes.create(aVolume({ location: anObject(FIRST_OBJECT, placeOn('host-a')) }));
};

export const createSim = async (options: SimOptions = {}): Promise<Sim> => {
  const turns = createTurns();
  const table = createTable(turns);
  const world = createWorld(HOSTS, options.rules);
  const clock = fakeClock();
  const events: VolmoveEvent[] = [];
  const errors: unknown[] = [];
  const problems: unknown[] = [];
  const statusEvents: Execution[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  let ids = 0;
  await fill(table, world, clock.nowMs());

  const newThread = (name: string, kind: ThreadKind, hostId?: string): Thread => {
    const thread = turns.newThread(name, kind, hostId);
    options.onThread?.(thread);
    return thread;
  };
  const depsOf = (thread: Thread, functionName?: string): Deps => {
    const deps: Deps = {
      store: createStore(table.recordsOf(thread)),
      notifier: {
        notify: (told) => {
          const act = (): void => void events.push(...structuredClone([...told]));
          return turns.turn(thread, `tells ${told.map((e) => e.detailType).join(', ')}`, act, { again: act });
        },
      },
      tasks: engine.tasksOf(thread),
      queues: { look: async () => undefined },
      executions: engine.executionsOf(thread),
      clock,
      newId: () => `${String(++ids).padStart(8, '0')}-0000-4000-8000-000000000000`,
      sleep: async () => undefined,
      settings: SETTINGS,
    };
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
    { turns, world, jobsOf: table.peek.jobsOf, depsOf, isBusy: options.isBusy ?? (() => false) },
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
      await hosts.apply([id], (host) => ({ kind: 'write', next: { ...host, heartbeatAtMs: clock.nowMs() } }));
    }
    engine.timeOutWhatIsDue();
    await quiet();
  };

  return {
    turns,
    table,
    world,
    engine,
    agents,
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
