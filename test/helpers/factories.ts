import type { Host, PoolReport } from '../../domain/host/host.ts';
import type { Job, JobSpec, Progress } from '../../domain/job/job.ts';
import { newJob } from '../../domain/job/steps.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { newMigration } from '../../domain/migration/run.ts';
import { createdObjectName } from '../../domain/names.ts';
import type { ObjectRef, Placement } from '../../domain/placement.ts';
import { newVolume } from '../../domain/volume/lifecycle.ts';
import { GIB, type MigrationOptions, type Retained, type Volume } from '../../domain/volume/volume.ts';
import { START_MS } from './clock.ts';

/** Things as they usually are; a test names only what it is about. */

export const VOLUME_ID = '11111111-1111-4111-8111-111111111111';
export const MIGRATION_ID = '22222222-2222-4222-8222-222222222222';
export const OTHER_MIGRATION_ID = '33333333-3333-4333-8333-333333333333';

export const SOURCE: Placement = { hostId: 'host-a', backend: 'files', pool: 'ssd' };
export const DESTINATION: Placement = { hostId: 'host-b', backend: 'files', pool: 'ssd' };
export const ELSEWHERE: Placement = { hostId: 'host-c', backend: 'files', pool: 'ssd' };

export const OPTIONS: MigrationOptions = {
  lock: false,
  forceHostCopy: false,
  verify: 'full',
  sourceRetentionSeconds: 0,
};

export const anObject = (objectName: string, place: Placement = SOURCE, sizeBytes = GIB): ObjectRef => ({
  ...place,
  objectName,
  objectId: `id-of-${objectName}`,
  sizeBytes,
});

export const SOURCE_OBJECT = anObject(createdObjectName(VOLUME_ID, 1));

export const aVolume = (change: Partial<Volume> = {}): Volume => ({
  ...newVolume({
    id: VOLUME_ID,
    projectId: 'project',
    userId: 'user',
    name: 'data',
    description: null,
    sizeBytes: GIB,
    metadata: {},
    placement: SOURCE,
    nowMs: START_MS,
  }),
  status: 'available',
  location: SOURCE_OBJECT,
  ...change,
});

/** What a move keeps of where its volume lived before. */
export const aRetained = (change: Partial<Retained> = {}): Retained => ({
  object: SOURCE_OBJECT,
  kind: 'source',
  migrationId: MIGRATION_ID,
  run: 1,
  expiresAtMs: START_MS,
  writeEpoch: 0,
  ...change,
});

export const aMigration = (change: Partial<Migration> & { options?: MigrationOptions } = {}): Migration => ({
  ...newMigration({
    id: MIGRATION_ID,
    volume: aVolume(),
    source: SOURCE_OBJECT,
    destination: DESTINATION,
    options: OPTIONS,
    requestedBy: 'admin',
    requestHash: null,
    nowMs: START_MS,
  }),
  ...change,
});

export const aPoolReport = (change: Partial<PoolReport> = {}): PoolReport => ({
  name: 'ssd',
  poolId: 'pool-of-nobody',
  state: 'up',
  reason: null,
  totalBytes: 100 * GIB,
  freeBytes: 100 * GIB,
  provisionedBytes: 0,
  thin: true,
  devicePath: null,
  ...change,
});

export const aHost = (id: string, change: Partial<Host> = {}): Host => ({
  id,
  incarnation: `${id}-1`,
  dataDirId: `dir-of-${id}`,
  address: `${id}:9810`,
  fingerprint: `fingerprint-of-${id}`,
  version: '0.1.0',
  heartbeatMs: 2_000,
  backends: [
    {
      name: 'files',
      driver: 'file',
      migrationProgressReport: true,
      pools: [aPoolReport({ poolId: `pool-of-${id}` })],
    },
  ],
  concurrency: 4,
  migrationProgressReportIntervalSeconds: 10,
  registeredAtMs: START_MS,
  heartbeatAtMs: START_MS,
  stoppedAtMs: null,
  ...change,
});

export const COPY_SPEC: JobSpec = {
  kind: 'data.copy',
  input: {
    source: SOURCE_OBJECT,
    sizeBytes: GIB,
    peer: { address: 'host-b:9810', fingerprint: 'fingerprint-of-host-b' },
    destinationIsZero: true,
    writeEpoch: 0,
    progressIntervalSeconds: null,
    digest: true,
  },
};

export const aJob = (change: Partial<Job> = {}, spec: JobSpec = COPY_SPEC): Job =>
  ({
    ...newJob({
      hostId: SOURCE.hostId,
      id: `${MIGRATION_ID}.1.${spec.kind}`,
      volumeId: VOLUME_ID,
      projectId: 'project',
      migrationId: MIGRATION_ID,
      run: 1,
      spec,
      nowMs: START_MS,
    }),
    ...change,
  }) as Job;

export const aReport = (change: Partial<Progress> = {}): Progress => ({
  doneBytes: GIB / 2,
  totalBytes: GIB,
  rateBytesPerSecond: 1024,
  attempt: 1,
  n: 1,
  atMs: START_MS,
  ...change,
});
