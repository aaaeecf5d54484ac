import type { Job } from '../../domain/job/job.ts';
import type { Migration } from '../../domain/migration/migration.ts';
import { START_MS } from '../helpers/clock.ts';
import { aJob, aMigration, aReport, MIGRATION_ID, SOURCE } from '../helpers/factories.ts';
import { createWorld, type World } from './world.ts';

/** A migration that copies, its job, and what the API says of it. */

export const COPY = { hostId: SOURCE.hostId, jobId: `${MIGRATION_ID}.1.data.copy`, kind: 'data.copy', run: 1 } as const;
export const copying = { stage: { state: 'running', phase: 'copying', phaseSinceMs: START_MS }, jobs: [COPY] } as const;
export const running: Partial<Job> = {
  attempt: 1,
  stage: { state: 'running', incarnation: 'i', sinceMs: START_MS },
  progress: aReport(),
  recent: [aReport()],
};

export const withMigration = async (change: Partial<Migration> = {}, job?: Partial<Job>): Promise<World> => {
  const world = createWorld();
  await world.store.migrations.create(aMigration(change));
  if (job) await world.store.jobs.create(aJob(job));
  return world;
};

export const show = async (world: World, path = '') =>
  (await world.ask('GET', `/v3/migrations/${MIGRATION_ID}${path}`)).body;
