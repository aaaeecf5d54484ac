import * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';
import { adoptJobId, createJobId, type Waiting } from '../../../domain/job/job.ts';
import { createdObjectName } from '../../../domain/names.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { volumeEntries } from '../../shared/entry-owners.ts';
import { waitingOf } from './dispatch.ts';
import { offerJob } from './offer.ts';
import { dispatchRemoval } from './removal.ts';

/** The input of volume-job: which create, adoption or delete of which volume. */
export const OPERATION = z.object({ volumeId: z.uuid(), operation: z.int().positive() });
export type Operation = z.infer<typeof OPERATION>;

export const DISPATCH_VOLUME = OPERATION.extend({
  token: z.string().min(1),
  entered: z.iso.datetime({ offset: true }),
  retry: z.int().nonnegative(),
});

const dispatchCreate = async (deps: Deps, volume: Volume, operation: number, waiting: Waiting): Promise<void> => {
  await offerJob(deps)(
    {
      hostId: volume.placement.hostId,
      id: createJobId(volume.id, operation),
      volumeId: volume.id,
      projectId: volume.projectId,
      migrationId: null,
      run: operation,
      spec: {
        kind: 'volume.create',
        input: {
          objectName: createdObjectName(volume.id, operation),
          place: volume.placement,
          sizeBytes: volume.sizeBytes,
        },
      },
    },
    waiting,
  );
};

const dispatchAdoption = async (deps: Deps, volume: Volume, operation: number, waiting: Waiting): Promise<void> => {
  if (!volume.adopted) throw volmoveError('Internal', { reason: `volume ${volume.id} has nothing to take over` });
  const { reference } = volume.adopted;
  await offerJob(deps)(
    {
      hostId: volume.placement.hostId,
      id: adoptJobId(volume.id, operation),
      volumeId: volume.id,
      projectId: volume.projectId,
      migrationId: null,
      run: operation,
      spec: { kind: 'volume.adopt', input: { reference, place: volume.placement } },
    },
    waiting,
  );
};

/** The starred state of volume-job. An operation that is over answers at once: Record finds what there is. */
export const dispatchVolume =
  (deps: Deps) =>
  async (command: z.infer<typeof DISPATCH_VOLUME>): Promise<undefined> => {
    const volume = await deps.store.volumes.get(command.volumeId);
    const waiting = waitingOf(command);
    if (volume?.operation === command.operation && volume.status === 'creating') {
      await dispatchCreate(deps, volume, command.operation, waiting);
      return undefined;
    }
    if (volume?.operation === command.operation && volume.status === 'managing') {
      await dispatchAdoption(deps, volume, command.operation, waiting);
      return undefined;
    }
    if (volume?.operation === command.operation && volume.status === 'deleting') {
      const entry = volume.cleanup.find((e) => e.state === 'todo');
      const outcome = entry ? await dispatchRemoval(deps)(volumeEntries(deps, volume), entry, waiting) : 'kept';
      if (outcome !== 'kept') return undefined;
      if (entry)
        throw volmoveError('InvalidVolume', { reason: `${entry.objectName} is still in use by volume ${volume.id}` });
    }
    await deps.tasks.succeed(command.token, { done: true });
  };
