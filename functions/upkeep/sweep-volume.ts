import { VolmoveError } from '../../domain/error.ts';
import { adoptJobId, createJobId, isJobEnded } from '../../domain/job/job.ts';
import { executionName, volumeExecutionName } from '../../domain/names.ts';
import { giveUpRetained, isExpired } from '../../domain/volume/retained.ts';
import type { Claim, Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../shared/deps.ts';
import { volumeEntries } from '../shared/entry-owners.ts';
import { writeCleanupEntry } from '../shared/leave-kept.ts';
import type { Operation } from '../workflow/dispatch/volume.ts';
import { recordVolume, recordVolumeError, removeIfGone } from '../workflow/steps/record-volume.ts';
import { lookAfterJob } from './lost-hosts.ts';
import { startClaimedRun, takeOver } from './reconcile.ts';
import { retryRemovals } from './removals.ts';

/** True while a host agent is at work for the run: then its execution waits, and need not be asked after. */
const atWork = async (deps: Deps, claim: Claim): Promise<boolean> => {
  const migration = await deps.store.migrations.get(claim.migrationId);
  const active = migration?.jobs.findLast((ref) => ref.run === claim.run);
  const job = active && (await deps.store.jobs.get(active.hostId, active.jobId));
  return job !== undefined && !isJobEnded(job);
};

/**
 * A claim without an execution gets one; a claim whose execution has ended is taken over by a new run. Executions are asked
 * after only while no job of the run is under way, so a long copy costs no call to Step Functions.
 */
const sweepClaim = async (deps: Deps, volume: Volume): Promise<void> => {
  const { claim } = volume;
  if (!claim || deps.clock.nowMs() - claim.claimedAtMs < deps.settings.sweepGraceMs) return;
  if (await atWork(deps, claim)) return;
  if ((await startClaimedRun(deps)(claim)) === 'started') return;
  const status = await deps.executions.status('migrate-volume', executionName(claim.migrationId, claim.run));
  if (!status || status.state === 'RUNNING') return;
  await takeOver(deps)({ ...volume, claim }, status);
};

/** The job that the volume's present create or adoption waits for; undefined when it waits for none. */
const jobOf = ({ id, operation, status }: Volume): string | undefined =>
  status === 'creating' ? createJobId(id, operation) : status === 'managing' ? adoptJobId(id, operation) : undefined;

/** A create, adoption or delete whose execution never began, or ended without its record. */
const sweepOperation = async (deps: Deps, volume: Volume): Promise<void> => {
  const jobId = jobOf(volume);
  if (jobId === undefined && volume.status !== 'deleting') return;
  const { hostId } = volume.placement;
  if (jobId !== undefined) await lookAfterJob(deps)(hostId, jobId);
  if (deps.clock.nowMs() - volume.updatedAtMs < deps.settings.sweepGraceMs) return;
  const operation = { volumeId: volume.id, operation: volume.operation };
  const name = volumeExecutionName(volume.id, volume.operation);
  if ((await deps.executions.start('volume-job', name, operation)) === 'started') return;
  const status = await deps.executions.status('volume-job', name);
  if (!status || status.state === 'RUNNING') return;
  // what a delete's execution has left is the removals' business (retryRemovals)
  if (volume.status === 'deleting' && status.state === 'SUCCEEDED') return;
  const job = jobId === undefined ? undefined : await deps.store.jobs.get(hostId, jobId);
  const ended = { Error: 'ExecutionEnded', Cause: `${status.state} ${status.cause}` };
  const error = job && isJobEnded(job) && job.stage.state === 'succeeded' ? await recorded(deps, operation) : ended;
  if (error) await recordVolumeError(deps)({ ...operation, error });
};

/** What the agent has found may be another volume's already: that is an end of the operation, too. */
const recorded = async (deps: Deps, operation: Operation): Promise<{ Error: string; Cause: string } | undefined> => {
  try {
    await recordVolume(deps)(operation);
    return undefined;
  } catch (error) {
    if (!(error instanceof VolmoveError && error.code === 'AlreadyManaged')) throw error;
    return { Error: error.code, Cause: error.message };
  }
};

/** Kept objects whose time is over: the cleanup entry is written first, then the object leaves `retained[]`. */
const expireRetained = async (deps: Deps, volume: Volume): Promise<void> => {
  const nowMs = deps.clock.nowMs();
  for (const kept of volume.retained) {
    if (!isExpired(kept, nowMs)) continue;
    const migration = await deps.store.migrations.get(kept.migrationId);
    // the migration's own end writes the entry of a source that is not kept at all
    if (migration && migration.stage.state === 'running') continue;
    if (migration) await writeCleanupEntry(deps)(kept);
    await deps.store.volumes.apply([volume.id], giveUpRetained(kept.object.objectName, nowMs));
  }
};

export const sweepVolume =
  (deps: Deps) =>
  async (id: string): Promise<void> => {
    const volume = await deps.store.volumes.get(id);
    if (!volume) return;
    await sweepClaim(deps, volume);
    await sweepOperation(deps, volume);
    await expireRetained(deps, volume);
    if (await removeIfGone(deps)(volume)) return;
    const now = await deps.store.volumes.get(id);
    if (now) await retryRemovals(deps)(volumeEntries(deps, now));
  };
