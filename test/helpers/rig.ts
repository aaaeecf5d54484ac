import type { Failure } from '../../domain/error.ts';
import { newPool } from '../../domain/host/capacity.ts';
import type { Job, JobKind, JobTypes } from '../../domain/job/job.ts';
import { migrationJobId } from '../../domain/job/job.ts';
import { finishJob, takeJob } from '../../domain/job/steps.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { runObjectName } from '../../domain/names.ts';
import { claim } from '../../domain/volume/claim.ts';
import { GIB, type MigrationOptions, type Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import type { dispatch } from '../../functions/workflow/dispatch/dispatch.ts';
import { memoryRecords } from '../../store/memory-records.ts';
import type { Records } from '../../store/records.ts';
import { createStore } from '../../store/store.ts';
import { type FakeClock, fakeClock } from './clock.ts';
import { SETTINGS } from './deps.ts';
import {
  aHost,
  aMigration,
  anObject,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  SOURCE,
  VOLUME_ID,
} from './factories.ts';
import {
  type FakeExecutions,
  type FakeNotifier,
  type FakeQueues,
  type FakeTasks,
  fakeExecutions,
  fakeNotifier,
  fakeQueues,
  fakeTasks,
} from './fakes.ts';

/** Use cases over a real store in memory, with a claimed volume on host-a that goes to host-b. */
export interface Rig {
  readonly deps: Deps;
  readonly records: Records;
  readonly clock: FakeClock;
  readonly notifier: FakeNotifier;
  readonly tasks: FakeTasks;
  readonly queues: FakeQueues;
  readonly executions: FakeExecutions;
  readonly volume: () => Promise<Volume>;
  readonly migration: () => Promise<Migration>;
}

export const RUN_1 = { migrationId: MIGRATION_ID, run: 1 };
export const DESTINATION_OBJECT = anObject(runObjectName(VOLUME_ID, MIGRATION_ID, 1), DESTINATION);
export const POOL_B = 'pool-of-host-b';

export interface RigOptions {
  readonly options?: Partial<MigrationOptions>;
  /** False: only requested, as when the API died before its claim. */
  readonly claimed?: boolean;
}

const found = async <T>(promise: Promise<T | undefined>): Promise<T> => {
  const value = await promise;
  if (value === undefined) throw new Error('It is not in the store.');
  return value;
};

export const createRig = async ({ options, claimed = true }: RigOptions = {}): Promise<Rig> => {
  const records = memoryRecords();
  const store = createStore(records);
  const clock = fakeClock();
  const [notifier, tasks, queues, executions] = [fakeNotifier(), fakeTasks(), fakeQueues(), fakeExecutions()];
  let ids = 0;
  const deps: Deps = {
    store,
    clock,
    notifier,
    tasks,
    queues,
    executions,
    newId: () => `${String(++ids).padStart(8, '0')}-0000-4000-8000-000000000000`,
    sleep: async () => undefined,
    settings: SETTINGS,
  };
  for (const id of ['host-a', 'host-b', 'host-c']) {
    await store.hosts.create(aHost(id));
    await store.pools.create(newPool(`pool-of-${id}`, 100 * GIB, 100 * GIB));
  }
  await store.volumes.create(aVolume());
  const asked = { ...OPTIONS, ...options };
  await store.migrations.create(aMigration({ options: asked }));
  if (claimed) {
    const command = { ...RUN_1, destination: DESTINATION, options: asked, settled: null, nowMs: clock.nowMs() };
    await store.volumes.apply([VOLUME_ID], claim(command));
  }
  return {
    deps,
    records,
    clock,
    notifier,
    tasks,
    queues,
    executions,
    volume: () => found(store.volumes.get(VOLUME_ID)),
    migration: () => found(store.migrations.get(MIGRATION_ID)),
  };
};

export type Dispatched = Parameters<ReturnType<typeof dispatch>>[0]['job'];

/** What a starred state sends when it is entered, or entered again. */
export const entered = (rig: Rig, job: Dispatched, retry = 0, run = 1) => ({
  migrationId: MIGRATION_ID,
  run,
  job,
  token: `${job}/${run}/${retry}`,
  entered: new Date(rig.clock.nowMs()).toISOString(),
  retry,
});

/** An agent takes the job and ends it. */
export const endJob = async (
  { deps }: Rig,
  hostId: string,
  jobId: string,
  outcome: { readonly result: JobTypes[JobKind]['result'] } | { readonly failure: Failure },
): Promise<Job> => {
  const nowMs = deps.clock.nowMs();
  const incarnation = `${hostId}-1`;
  const { value } = await deps.store.jobs.apply([hostId, jobId], takeJob(incarnation, 0, nowMs));
  const ended = 'result' in outcome ? { ok: true as const, ...outcome } : { ok: false as const, ...outcome };
  const finish = finishJob({ attempt: value.attempt, incarnation }, ended, nowMs);
  return (await deps.store.jobs.apply([hostId, jobId], finish)).value;
};

export const jobId = (kind: JobKind, run = 1): string => migrationJobId(MIGRATION_ID, run, kind);

export const PREPARED: JobTypes['destination.prepare']['result'] = {
  object: DESTINATION_OBJECT,
  zero: true,
  address: 'host-b:9810',
  fingerprint: 'fingerprint-of-host-b',
};
export const COPIED: JobTypes['data.copy']['result'] = {
  digest: 'digest',
  writeEpoch: 0,
  generation: 1,
  bytesRead: 5,
  bytesWritten: 4,
  durationMs: 3,
};
export const VERIFIED: JobTypes['data.verify']['result'] = { digest: 'digest', generation: 1, readback: 'direct' };

/** Where the jobs of a run are done. */
export const HOST_OF = {
  'destination.prepare': DESTINATION.hostId,
  'data.copy': SOURCE.hostId,
  'data.verify': DESTINATION.hostId,
};

/** The control plane has been there all the time until now, and would have heard every heartbeat. */
export const wasThere = ({ deps, clock }: Rig): Promise<unknown> =>
  deps.store.watch.create({ lastPassAtMs: clock.nowMs(), sinceMs: 0 });
