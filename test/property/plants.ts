import { newCleanup } from '../../domain/cleanup.ts';
import type { Decision } from '../../domain/decision.ts';
import type { Job } from '../../domain/job/job.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import type { Store } from '../../store/store.ts';
import type { StoryOptions } from '../helpers/sim/stage.ts';
import { ALL_RULES } from '../helpers/sim/world.ts';

/** Sentences of the design left out one at a time: a search that does not see them would be worth nothing. */
export interface Plant extends StoryOptions {
  readonly name: string;
  /** What the search has to say about it. */
  readonly seenAs: RegExp;
}

type Collections = { [K in keyof Store]?: Partial<Store[K]> };

const withStore = (deps: Deps, change: Collections): Deps => {
  const { store } = deps;
  const volumes = { ...store.volumes, ...change.volumes };
  const migrations = { ...store.migrations, ...change.migrations };
  const jobs = { ...store.jobs, ...change.jobs };
  return { ...deps, store: { ...store, volumes, migrations, jobs } };
};

type VolumeRule = (volume: Volume) => Decision<Volume>;
const applyingTo = (deps: Deps, around: (rule: VolumeRule) => VolumeRule): Deps =>
  withStore(deps, { volumes: { apply: (id, rule, seen) => deps.store.volumes.apply(id, around(rule), seen) } });

/** Finalize decides on what it read when it began. */
const finalizesBlindly: Plant['plant'] = (deps, _thread, name) => {
  if (name !== 'Finalize') return deps;
  let read: Volume | undefined;
  return withStore(deps, {
    volumes: {
      get: async (id) => {
        read = await deps.store.volumes.get(id);
        return read;
      },
      apply: (id, rule) =>
        deps.store.volumes.apply(id, (volume) => {
          const { claim, fence, writeEpoch } = read ?? volume;
          return rule({ ...volume, claim, fence, writeEpoch });
        }),
    },
  });
};

/** The requests of guests leave the claim, the fence and the epoch as they are. */
const guestsGiveNoNotice: Plant['plant'] = (deps, thread) =>
  thread.kind === 'guest'
    ? applyingTo(deps, (rule) => (volume) => {
        const decision = rule(volume);
        if (decision.kind !== 'write' || !volume.claim) return decision;
        const { claim, fence, writeEpoch, lastOutcome, migrationStatus } = volume;
        return { kind: 'write', next: { ...decision.next, claim, fence, writeEpoch, lastOutcome, migrationStatus } };
      })
    : deps;

/** Claims are given although the last outcome stands nowhere but on the volume. */
const claimsTooEarly: Plant['plant'] = (deps, thread) =>
  thread.name.startsWith('migrate')
    ? withStore(deps, {
        migrations: { get: async (id) => asEnded(await deps.store.migrations.get(id)) },
      })
    : deps;

const asEnded = (migration: Migration | undefined): Migration | undefined =>
  migration && { ...migration, stage: { state: 'succeeded', endedAtMs: 0 } };

/** The sweeper removes what a migration has made without asking the volume, and without waiting for the end. */
const removesUnasked: Plant['plant'] = (deps, thread) =>
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
const comparesNothing: Plant['plant'] = (deps, _thread, name) => {
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

export const PLANTS: readonly Plant[] = [
  {
    name: 'Finalize without a look at the claim',
    plant: finalizesBlindly,
    mood: { freeze: 0.6 },
    seenAs: /guest’s write is lost|ended twice/,
  },
  {
    name: 'a guest’s request that does not end the claim',
    plant: guestsGiveNoNotice,
    mood: { guest: 4 },
    seenAs: /guest’s write is lost/,
  },
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
    name: 'no seal, and old attempts admitted',
    rules: { ...ALL_RULES, seal: false, generations: false },
    mood: { crash: 4 },
    seenAs: /guest’s write is lost/,
  },
  {
    name: 'no tombstone',
    rules: { ...ALL_RULES, tombstones: false },
    mood: { freeze: 1, reset: 6 },
    seenAs: /left over: the object/,
  },
  { name: 'no sweeper', sweeper: false, mood: { death: 1, abort: 1 }, seenAs: /stuck|left over|never/ },
];
