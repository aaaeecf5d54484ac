import { write } from '../../../domain/decision.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Caller } from '../http/exchange.ts';
import { findVolume } from './visible.ts';

export interface UpdateVolume {
  readonly caller: Caller;
  readonly volumeId: string;
  readonly changes: Partial<Pick<Volume, 'name' | 'description' | 'metadata'>>;
}

/** What a volume is called says nothing about its bytes, so it may change at any time, also while the volume is moved. */
export const updateVolume =
  (deps: Deps) =>
  async ({ caller, volumeId, changes }: UpdateVolume): Promise<Volume> => {
    await findVolume(deps)(caller, volumeId);
    const updatedAtMs = deps.clock.nowMs();
    return (await deps.store.volumes.apply([volumeId], (volume) => write({ ...volume, ...changes, updatedAtMs })))
      .value;
  };
