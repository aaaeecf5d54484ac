import type * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';
import { adoptJobId, createJobId, resultOf } from '../../../domain/job/job.ts';
import { recordAdopted, recordAdoptFailed } from '../../../domain/volume/adoption.ts';
import { isGone, recordCreated, recordCreateFailed, recordDeleteFailed } from '../../../domain/volume/lifecycle.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { volumeEntries } from '../../shared/entry-owners.ts';
import { recordOutcome } from '../../shared/outcome.ts';
import { settleTries } from '../../shared/settle-cleanup.ts';
import { OPERATION, type Operation } from '../dispatch/volume.ts';
import { CAUGHT, failureOf } from '../failure-of.ts';
import { holdObject, letGoOfObject } from './hold-object.ts';

const current = async (deps: Deps, { volumeId, operation }: Operation): Promise<Volume | undefined> => {
  const volume = await deps.store.volumes.get(volumeId);
  return volume?.operation === operation ? volume : undefined;
};

/**
 * A deleted volume whose objects are gone loses its item; with objects left it stays, and the sweeper goes on. Its last
 * migration's outcome stands on it alone until it is recorded: that comes first.
 */
export const removeIfGone =
  (deps: Deps) =>
  async (volume: Volume): Promise<boolean> => {
    await settleTries(deps)(volumeEntries(deps, volume));
    const now = await deps.store.volumes.get(volume.id);
    if (!now) return true;
    if (!isGone(now)) return false;
    if (now.lastOutcome) await recordOutcome(deps)(now.lastOutcome, 'delete');
    const recorded = (v: Volume): boolean =>
      v.lastOutcome?.migrationId === now.lastOutcome?.migrationId && v.lastOutcome?.run === now.lastOutcome?.run;
    const gone = await deps.store.volumes.remove([volume.id], (v) => isGone(v) && recorded(v));
    if (gone) await letGoOfObject(deps)(volume);
    return gone;
  };

/** The object is held before the volume lives on it, so no other volume can come to live on it too. */
const recordAdoption = async (deps: Deps, volume: Volume, operation: number): Promise<{ status: string }> => {
  const job = await deps.store.jobs.get(volume.placement.hostId, adoptJobId(volume.id, operation));
  const found = resultOf(job, 'volume.adopt');
  const { adopted } = volume;
  if (!found || !adopted) throw volmoveError('NoProof', { reason: 'the object to take over was not found' });
  await holdObject(deps)({ ...volume, adopted }, found.object);
  const rule = recordAdopted(operation, found.object, deps.clock.nowMs());
  return { status: (await deps.store.volumes.apply([volume.id], rule)).value.status };
};

/** Record: what the agent did, read from its job, becomes the volume's state. */
export const recordVolume =
  (deps: Deps) =>
  async (command: Operation): Promise<{ status: string }> => {
    const volume = await current(deps, command);
    if (!volume) return { status: 'gone' };
    if (volume.status === 'creating') {
      const job = await deps.store.jobs.get(volume.placement.hostId, createJobId(volume.id, command.operation));
      const made = resultOf(job, 'volume.create');
      if (!made) throw volmoveError('NoProof', { reason: 'the create has not succeeded' });
      return {
        status: (
          await deps.store.volumes.apply([volume.id], recordCreated(command.operation, made.object, deps.clock.nowMs()))
        ).value.status,
      };
    }
    if (volume.status === 'managing') return recordAdoption(deps, volume, command.operation);
    if (volume.status === 'deleting' && (await removeIfGone(deps)(volume))) return { status: 'gone' };
    return { status: volume.status };
  };

export const RECORD_ERROR = OPERATION.extend({ error: CAUGHT });

/** RecordError: `error`, `error_managing` or `error_deleting`, with the reason; what was or may have been made stays in cleanup. */
export const recordVolumeError =
  (deps: Deps) =>
  async (command: z.infer<typeof RECORD_ERROR>): Promise<{ status: string }> => {
    const volume = await current(deps, command);
    if (!volume) return { status: 'gone' };
    const failure = failureOf(command.error);
    const nowMs = deps.clock.nowMs();
    await settleTries(deps)(volumeEntries(deps, volume));
    await deps.store.volumes.apply([volume.id], recordCreateFailed(command.operation, failure, nowMs));
    await deps.store.volumes.apply([volume.id], recordAdoptFailed(command.operation, failure, nowMs));
    const { value } = await deps.store.volumes.apply(
      [volume.id],
      recordDeleteFailed(command.operation, failure, nowMs),
    );
    return { status: value.status };
  };
