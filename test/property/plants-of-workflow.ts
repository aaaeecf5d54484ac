import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { countLeftBytes } from '../../domain/host/pool.ts';
import type { Job } from '../../domain/job/job.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import { type Change, changed, type Plant, withStore } from './plant-tools.ts';

/** Sentences about migrations, jobs, tokens, removals and capacity, and about those who look after them. */

/** Claims are given although the last outcome stands nowhere but on the volume. */
const claimsTooEarly: Change = (deps, thread) =>
  thread.name.startsWith('migrate')
    ? withStore(deps, { migrations: { get: async (id) => asEnded(await deps.store.migrations.get(id)) } })
    : deps;

const asEnded = (migration: Migration | undefined): Migration | undefined =>
  migration && { ...migration, stage: { state: 'succeeded', endedAtMs: 0 } };

/** The sweeper removes what a migration has made without asking the volume, and without waiting for the end. */
const removesUnasked: Change = (deps, thread) =>
  thread.name === 'sweeper'
    ? withStore(deps, {
        migrations: { get: async (id) => asLeftOver(await deps.store.migrations.get(id)) },
        volumes: {
          get: async (id) => {
            const volume = await deps.store.volumes.get(id);
            return volume && { ...volume, location: null, retained: [] };
          },
        },
      })
    : deps;

const asLeftOver = (migration: Migration | undefined): Migration | undefined => {
  if (!migration || isEnded(migration) || migration.objects.length === 0) return migration;
  const cleanup = migration.objects.map(({ objectName, placement }) =>
    newCleanup({ objectName, ...placement }, 'destination'),
  );
  return { ...migration, cleanup, endedTold: true, stage: { state: 'succeeded', endedAtMs: 0 } };
};

/** Whatever was read back counts as equal. */
const comparesNothing: Change = (deps, _thread, name) => {
  if (name !== 'Finalize') return deps;
  let copied: Job | undefined;
  const equal = (job: Job | undefined): Job | undefined => {
    if (job?.kind === 'data.copy') copied = job;
    if (job?.kind !== 'data.verify' || job.stage.state !== 'succeeded' || copied?.stage.state !== 'succeeded')
      return job;
    const { digest } = copied.stage.result as { digest: string };
    return { ...job, stage: { ...job.stage, result: { ...job.stage.result, digest } } } as Job;
  };
  return withStore(deps, { jobs: { get: async (...id) => equal(await deps.store.jobs.get(...id)) } });
};

/** A removal that has failed is not tried again as a new job. */
const triesRemovalsOnce: Change = (deps) => {
  const { jobs } = deps.store;
  return withStore(deps, {
    jobs: {
      async create(job) {
        const first = await jobs.get(job.hostId, job.id.replace(/\.\d+$/, '.1'));
        return job.kind === 'object.remove' && first ? { value: first, wrote: false, rev: 1 } : jobs.create(job);
      },
    },
  });
};

/** What is kept leaves `retained[]` although no cleanup entry stands for it. */
const noEntryForWhatIsKept: Change = (deps, thread) => {
  if (thread.name !== 'sweeper') return deps;
  const { migrations } = deps.store;
  return withStore(deps, {
    migrations: {
      apply: (id, rule, seen) =>
        migrations.apply(
          id,
          (stored) =>
            isEnded(stored)
              ? changed(rule(stored), (next) => ({ ...next, cleanup: known(stored, next) }))
              : rule(stored),
          seen,
        ),
    },
  });
};
const known = (stored: Migration, next: Migration): Migration['cleanup'] =>
  next.cleanup.filter(({ objectName }) => stored.cleanup.some((entry) => entry.objectName === objectName));

/** Steps write to migrations that have ended. */
const writesAfterTheEnd: Change = (deps, _thread, name) => {
  if (!['NotifyStarted', 'LockVolume', 'Dispatch', 'Finalize', 'ReleaseClaim'].includes(name ?? '')) return deps;
  const { migrations } = deps.store;
  const stage = { state: 'running', phase: 'validating', phaseSinceMs: 0 } as const;
  return withStore(deps, {
    migrations: {
      apply: (id, rule, seen) =>
        migrations.apply(id, (stored) => rule(isEnded(stored) ? { ...stored, stage } : stored), seen),
    },
  });
};

/** A token is written over whatever token stands there. */
const anyTokenWins: Change = (deps) => {
  const { tokens } = deps.store;
  return withStore(deps, {
    tokens: {
      apply: (id, rule, seen) => tokens.apply(id, (stored) => rule({ ...stored, enteredAtMs: -1 }), seen),
    },
  });
};

/** The limit of a pool is not looked at. */
const reservesWithoutLimit: Change = (deps) => {
  const { pools } = deps.store;
  const endless = { totalBytes: 2 ** 50, freeBytes: 2 ** 50, leftBytes: 2 ** 50 };
  return withStore(deps, {
    pools: {
      get: async (id) => {
        const pool = await pools.get(id);
        return pool && { ...pool, ...endless };
      },
      apply: (id, rule, seen) =>
        pools.apply(
          id,
          (pool) => {
            const { totalBytes, freeBytes } = pool;
            return changed(rule({ ...pool, ...endless }), (next) => {
              const back = { ...next, totalBytes, freeBytes };
              return { ...back, leftBytes: countLeftBytes(back) };
            });
          },
          seen,
        ),
    },
  });
};

/** Nobody but the execution itself gives capacity back. */
const forgetsReservations: Change = (deps, thread) => {
  const { pools } = deps.store;
  if (thread.kind !== 'upkeep') return deps;
  return withStore(deps, {
    pools: {
      apply: (id, rule, seen) =>
        pools.apply(
          id,
          (pool) =>
            changed(rule(pool), ({ ...next }) => ({
              ...next,
              reservedBytes: pool.reservedBytes,
              leftBytes: pool.leftBytes,
              reservations: pool.reservations,
            })),
          seen,
        ),
    },
  });
};

/** Executions that ended with their claim standing are left as they are. */
const reconcilesNothing: Change = (deps, thread) =>
  thread.kind === 'upkeep'
    ? { ...deps, executions: { ...deps.executions, status: async () => ({ state: 'RUNNING', cause: '' }) } }
    : deps;

/** A claim that comes after its migration was refused goes on. */
const forgivesRefusals: Change = (deps, thread) => {
  if (thread.kind !== 'lambda') return deps;
  const { migrations } = deps.store;
  const asked = (migration: Migration): Migration =>
    migration.stage.state === 'refused' ? { ...migration, stage: { state: 'requested' } } : migration;
  return withStore(deps, {
    migrations: {
      get: async (id) => {
        const migration = await migrations.get(id);
        return migration && asked(migration);
      },
      apply: (id, rule, seen) => migrations.apply(id, (stored) => rule(asked(stored)), seen),
    },
  });
};

/** A failed run's end is recorded, but nobody is told. */
const tellsNoEnd: Change = (deps) => ({
  ...deps,
  notifier: {
    notify: (events) =>
      deps.notifier.notify(
        events.filter(({ detail }) => !(detail.event_type === 'volume.migrate.end' && detail.result === 'error')),
      ),
  },
});

const RECONCILER_OFF: Change = (deps, thread, name) =>
  reconcilesNothing(thread.name === 'reconciler' ? { ...deps, store: nobodyHome(deps) } : deps, thread, name);
const nobodyHome = ({ store }: Parameters<Change>[0]) => ({
  ...store,
  migrations: {
    ...store.migrations,
    get: async () => {
      throw volmoveError('MigrationNotFound', { id: 'planted' });
    },
  },
});

export const WORKFLOW_PLANTS: readonly Plant[] = [
  {
    name: 'a removal without the removal rule',
    plant: removesUnasked,
    mood: { guest: 1 },
    seenAs: /is not there/,
  },
  {
    name: 'a claim over an outcome that is not recorded',
    plant: claimsTooEarly,
    mood: { freeze: 1, reset: 6 },
    seenAs: /stuck: migration .* is running/,
  },
  { name: 'no digest compared', plant: comparesNothing, mood: { 'bit flip': 4 }, seenAs: /guest’s write is lost/ },
  {
    name: 'a removal that is tried once',
    plant: triesRemovalsOnce,
    mood: { cancel: 4 },
    seenAs: /stuck: the cleanup of .* is never done/,
  },
  {
    name: 'what is kept is let go without a cleanup entry',
    plant: noEntryForWhatIsKept,
    mood: {},
    seenAs: /left over: the object/,
  },
  {
    name: 'a step that writes to a migration that has ended',
    plant: writesAfterTheEnd,
    mood: { freeze: 4, reset: 6 },
    seenAs: /was (failed|succeeded|refused), and is running/,
  },
  {
    name: 'an older token over a newer one',
    plant: anyTokenWins,
    mood: { freeze: 4, 'time-out': 4 },
    seenAs: /an older token replaces/,
  },
  {
    name: 'a reservation beyond the limit',
    plant: reservesWithoutLimit,
    mood: { neighbour: 4 },
    seenAs: /more is reserved/,
  },
  {
    name: 'capacity that upkeep never gives back',
    plant: forgetsReservations,
    mood: { death: 4, freeze: 1, abort: 1 },
    seenAs: /left over: .* reserved/,
  },
  {
    name: 'no reconciler',
    plant: RECONCILER_OFF,
    mood: { abort: 4 },
    seenAs: /stuck: the claim of .* never ends/,
  },
  {
    name: 'a late claim of a refused migration',
    plant: forgivesRefusals,
    mood: { freeze: 4 },
    seenAs: /was refused/,
  },
  { name: 'an end that nobody is told of', plant: tellsNoEnd, mood: { cancel: 4 }, seenAs: /the end of .* never told/ },
  { name: 'no sweeper', sweeper: false, mood: { death: 1, abort: 1 }, seenAs: /stuck|left over|never/ },
];
