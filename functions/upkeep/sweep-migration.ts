import { volmoveError } from '../../domain/error.ts';
import { isJobEnded } from '../../domain/job/job.ts';
import { wishJob } from '../../domain/job/steps.ts';
import { refuseMigration } from '../../domain/migration/end.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../shared/deps.ts';
import { migrationEntries } from '../shared/entry-owners.ts';
import { recordOutcome, settle } from '../shared/outcome.ts';
import { tellCleanupOnce } from '../shared/settle-cleanup.ts';
import { lookAfterJob } from './lost-hosts.ts';
import { retryRemovals } from './removals.ts';

const graceOver = (deps: Deps, sinceMs: number): boolean => deps.clock.nowMs() - sinceMs >= deps.settings.sweepGraceMs;

/** A request that never reached its volume; whose claim comes late finds it refused and gives the claim back. */
const sweepRequested = async (deps: Deps, migration: Migration, volume: Volume | undefined): Promise<void> => {
  if (volume?.claim?.migrationId === migration.id || !graceOver(deps, migration.requestedAtMs)) return;
  if (volume?.lastOutcome?.migrationId === migration.id) return endFromOutcome(deps, migration, volume);
  await deps.store.migrations.apply(
    [migration.id],
    refuseMigration(volmoveError('NeverClaimed', {}).toFailure(), 'sweeper', deps.clock.nowMs()),
  );
};

/** The outcome stands on the volume but nobody recorded it: its execution has died, or is slower than the grace. */
const endFromOutcome = async (deps: Deps, migration: Migration, volume: Volume | undefined): Promise<void> => {
  const outcome = volume?.lastOutcome;
  if (outcome?.migrationId !== migration.id || !graceOver(deps, outcome.atMs)) return;
  const ended = await recordOutcome(deps)(outcome, 'sweeper');
  if (ended) await settle(deps)(ended);
};

/** Jobs of a run that has lost its claim are cancelled; the others are looked after. */
const sweepJobs = async (deps: Deps, migration: Migration, volume: Volume | undefined): Promise<void> => {
  const claimed = volume?.claim?.migrationId === migration.id ? volume.claim : undefined;
  const lost = volmoveError('ClaimLost', { reason: 'its run has no claim any more' }).toFailure();
  const active = migration.jobs.at(-1);
  for (const ref of migration.jobs) {
    const inVain = claimed?.run !== ref.run;
    if (!inVain && ref.jobId !== active?.jobId) continue;
    const job = await lookAfterJob(deps)(ref.hostId, ref.jobId);
    if (!job || isJobEnded(job)) continue;
    const wish = migration.wishes.cancel || inVain;
    if (wish && !job.control.cancel) {
      const why = inVain ? lost : volmoveError('Cancelled', { by: migration.wishes.cancel?.by ?? '' }).toFailure();
      await deps.store.jobs.apply([ref.hostId, ref.jobId], wishJob({ cancel: true }, why, deps.clock.nowMs()));
      await deps.queues.look(ref.hostId);
    }
  }
};

export const sweepMigration =
  (deps: Deps) =>
  async (id: string): Promise<void> => {
    const migration = await deps.store.migrations.get(id);
    if (!migration) return;
    const volume = await deps.store.volumes.get(migration.volumeId);
    if (migration.stage.state === 'requested') return sweepRequested(deps, migration, volume);
    if (!isEnded(migration)) {
      await sweepJobs(deps, migration, volume);
      return endFromOutcome(deps, migration, volume);
    }
    if (!migration.endedTold && graceOver(deps, migration.stage.endedAtMs)) await settle(deps)(migration);
    if (graceOver(deps, migration.stage.endedAtMs))
      await retryRemovals(deps)(migrationEntries(deps, migration), migration.cleanup);
    const now = await deps.store.migrations.get(id);
    if (now) await tellCleanupOnce(deps)(now);
  };
