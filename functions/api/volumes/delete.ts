import { requestDelete } from '../../../domain/volume/lifecycle.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Caller } from '../http/exchange.ts';
import { startOperation } from './create.ts';
import { findVolume } from './visible.ts';

export interface DeleteVolume {
  readonly caller: Caller;
  readonly volumeId: string;
}

/** Gives up everything that the volume has, in one write, then has it removed. */
export const deleteVolume =
  (deps: Deps) =>
  async ({ caller, volumeId }: DeleteVolume): Promise<void> => {
    await findVolume(deps)(caller, volumeId);
    const { value } = await deps.store.volumes.apply([volumeId], requestDelete(deps.clock.nowMs()));
    await startOperation(deps)(value);
  };
