import { volmoveError } from '../../../domain/error.ts';
import { volumeExecutionName } from '../../../domain/names.ts';
import type { Placement } from '../../../domain/placement.ts';
import { newVolume } from '../../../domain/volume/lifecycle.ts';
import { GIB, type Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import type { Caller } from '../http/exchange.ts';
import { requireSpace, resolvePlace, roomiestPlace } from '../pools/places.ts';

export interface CreateVolume {
  readonly caller: Caller;
  readonly sizeGib: number;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** `host@backend#pool`; undefined: the pool with the most free space. */
  readonly pool: string | undefined;
}

const choosePlace = async (deps: Deps, sizeGib: number, pool: string | undefined): Promise<Placement> => {
  if (pool !== undefined) {
    const asked = await resolvePlace(deps)(pool);
    requireSpace(asked, sizeGib * GIB);
    return asked.place;
  }
  const roomiest = await roomiestPlace(deps);
  if (!roomiest || roomiest.availableBytes < sizeGib * GIB) throw volmoveError('NoPool', { sizeGib });
  return roomiest.place;
};

/** Writes the volume down, then has it made; should the second step be lost, the sweeper finds a `creating` volume and does it. */
export const createVolume =
  (deps: Deps) =>
  async ({ caller, sizeGib, pool, ...texts }: CreateVolume): Promise<Volume> => {
    const placement = await choosePlace(deps, sizeGib, pool);
    const { value: volume } = await deps.store.volumes.create(
      newVolume({
        ...texts,
        id: deps.newId(),
        projectId: caller.projectId,
        userId: caller.userId,
        sizeBytes: sizeGib * GIB,
        placement,
        nowMs: deps.clock.nowMs(),
      }),
    );
    await startOperation(deps)(volume);
    return volume;
  };

/** The execution of the volume's present create or delete; starting it again changes nothing. */
export const startOperation =
  (deps: Pick<Deps, 'executions'>) =>
  async ({ id, operation }: Volume): Promise<void> => {
    await deps.executions.start('volume-job', volumeExecutionName(id, operation), { volumeId: id, operation });
  };
