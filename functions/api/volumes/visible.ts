import { volmoveError } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { type Caller, isAdmin } from '../http/exchange.ts';

/** Ids are ours, so anything that does not look like one names nothing; it never gets as far as a key of the table. */
export const ID = /^[A-Za-z0-9_-]{1,64}$/;

export const maySee = (caller: Caller, volume: Volume): boolean =>
  isAdmin(caller) || volume.projectId === caller.projectId;

/** Throws VolumeNotFound, also for another project's volume: nobody learns that it exists. */
export const findVolume =
  (deps: Pick<Deps, 'store'>) =>
  async (caller: Caller, id: string): Promise<Volume> => {
    const volume = ID.test(id) ? await deps.store.volumes.get(id) : undefined;
    if (!volume || !maySee(caller, volume)) throw volmoveError('VolumeNotFound', { id });
    return volume;
  };
