import { VolmoveError, volmoveError } from '../../../domain/error.ts';
import { replayEvents } from '../../../domain/event.ts';
import type { MigrationStage } from '../../../domain/migration/migration.ts';
import type { Deps } from '../../shared/deps.ts';
import { type ApiRequest, param, type Reply } from '../http/exchange.ts';
import { isPlain, isYes } from '../http/fields.ts';
import { parseInput } from '../http/input.ts';
import { nextHref } from '../http/links.ts';
import { countOf, pageOf } from '../http/page.ts';
import { renderMigration } from '../render/migration.ts';
import { renderProgress } from '../render/progress.ts';
import { ID } from '../volumes/visible.ts';
import { actOn } from './actions.ts';
import { checkMigration } from './checks.ts';
import { findMigration, withJob, withJobs } from './find.ts';
import { listMigrations } from './list.ts';
import { migrate } from './migrate.ts';
import { askProgress } from './progress.ts';
import { CREATE_MIGRATION, optionsOf } from './schema.ts';

/** Migrations over HTTP: our own resource, for administrators. */

type Handle = (deps: Deps) => (request: ApiRequest) => Promise<Reply>;

const ACCEPTED =
  'Your migration request has been received. Please check migration status and the server log to see more information.';
const REFUSED = 'Your migration request failed to process due to: ';

const rendered = async (deps: Deps, id: string): Promise<object> => {
  return renderMigration(await withJob(deps)(await findMigration(deps)(id)));
};

const idempotencyKeyOf = ({ headers }: ApiRequest): string | undefined => {
  const key = headers['idempotency-key'];
  if (key !== undefined && (key === '' || key.length > 255 || !isPlain(key)))
    throw volmoveError('InvalidRequest', { reason: 'Idempotency-Key takes 1 to 255 printable characters.' });
  return key;
};

const ask = async (deps: Deps, request: ApiRequest): Promise<Reply> => {
  const body = parseInput(CREATE_MIGRATION, request.body);
  const idempotencyKey = idempotencyKeyOf(request);
  const { volume_id: volumeId, destination, dry_run: dryRun } = body.migration;
  if (dryRun) {
    const volume = ID.test(volumeId) ? await deps.store.volumes.get(volumeId) : undefined;
    const { caller, signal } = request;
    const asked = { volume, volumeId, destination, options: optionsOf(body), projectId: caller.projectId, signal };
    const checks = await checkMigration(deps)(asked);
    return { status: 200, body: { checks } };
  }
  if (!ID.test(volumeId)) throw volmoveError('VolumeNotFound', { id: volumeId });
  const migration = await migrate(deps)({
    projectId: request.caller.projectId,
    requestedBy: request.caller.userId,
    volumeId,
    destination,
    options: optionsOf(body),
    idempotencyKey,
  });
  return { status: 202, body: { message: ACCEPTED, migration: renderMigration(await withJob(deps)(migration)) } };
};

export const create: Handle = (deps) => async (request) => {
  try {
    return await ask(deps, request);
  } catch (error) {
    if (!(error instanceof VolmoveError)) throw error;
    throw new VolmoveError({ ...error.toFailure(), message: REFUSED + error.message }, { cause: error });
  }
};

const STATES = ['requested', 'running', 'succeeded', 'failed', 'refused'] as const satisfies MigrationStage['state'][];

const stateOf = (query: URLSearchParams): MigrationStage['state'] | undefined => {
  const asked = query.get('state');
  if (!asked) return undefined;
  const state = STATES.find((known) => known === asked);
  if (!state)
    throw volmoveError('InvalidRequest', { reason: `There is no such state; the states are: ${STATES.join(', ')}.` });
  return state;
};

export const list: Handle = (deps) => async (request) => {
  const { query } = request;
  const { limit, marker } = pageOf(query);
  const { values, full } = await listMigrations(deps)({
    volumeId: query.get('volume_id') || undefined,
    state: stateOf(query),
    limit,
    marker,
  });
  const last = full ? values.at(-1) : undefined;
  const watched = await withJobs(deps)(values);
  return {
    status: 200,
    body: {
      migrations: watched.map(renderMigration),
      ...(last ? { migrations_links: [{ rel: 'next', href: nextHref(request, last.id) }] } : {}),
    },
  };
};

export const show: Handle = (deps) => async (request) => ({
  status: 200,
  body: { migration: await rendered(deps, param(request, 'id')) },
});

export const progress: Handle = (deps) => async (request) => {
  const { stale, ...watched } = await askProgress(deps)({
    migrationId: param(request, 'id'),
    fresh: isYes(request.query.get('fresh')),
    signal: request.signal,
  });
  return { status: 200, body: { progress: renderProgress(watched, stale) } };
};

export const events: Handle = (deps) => async (request) => {
  const migration = await findMigration(deps)(param(request, 'id'));
  const after = countOf(request.query, 'after', 0);
  const jobs = await deps.store.jobs.getMany(migration.jobs.map((ref) => [ref.hostId, ref.jobId] as [string, string]));
  const told = replayEvents(migration, jobs, after);
  return { status: 200, body: { events: told.map(({ detailType, detail }) => ({ detail_type: detailType, detail })) } };
};

export const act: Handle = (deps) => async (request) => {
  await actOn(deps)(request);
  return { status: 202, body: { migration: await rendered(deps, param(request, 'id')) } };
};
