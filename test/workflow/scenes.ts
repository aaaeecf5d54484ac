import type { ObjectReference } from '../../domain/placement.ts';
import { resetStatus } from '../../domain/volume/reset.ts';
import type { MigrationOptions } from '../../domain/volume/volume.ts';
import { manageVolume } from '../../functions/api/manage/manage.ts';
import { restoreVolume } from '../../functions/api/migrations/restore.ts';
import { createVolume } from '../../functions/api/volumes/create.ts';
import { createStore } from '../../store/store.ts';
import { anObject, aVolume, VOLUME_ID } from '../helpers/factories.ts';
import { type Session, useVolume } from '../helpers/sim/guest.ts';
import { requestCancel, requestMigration, requestRemoval, requestRetry } from '../helpers/sim/requests.ts';
import type { Scene } from '../helpers/sim/script.ts';
import { FIRST_OBJECT, INSIDE, placeOn, type Sim } from '../helpers/sim/sim.ts';

/** Stories that every step of the workflow has a part in. */

const destination = placeOn('host-b');
const IN_MID_COPY = /^reads chunk 1/;
const activeId = (sim: Parameters<NonNullable<Scene['meanwhile']>['ask']>[0]): string =>
  sim.table.peek.migrations().find(({ stage }) => stage.state === 'running')?.id ?? 'none';

export const MIGRATION: Scene = { name: 'a migration', ask: (deps) => requestMigration(deps, { destination }) };

export const LOCKED: Scene = {
  name: 'a locked migration',
  ask: (deps) => requestMigration(deps, { destination, options: { lock: true } }),
};

/** Somebody who wants the volume now, and writes to it twice. */
const aGuest =
  (manner: Session['manner']): NonNullable<Scene['meanwhile']>['ask'] =>
  ({ turns, world, table }, deps, thread) =>
    useVolume(
      {
        turns,
        world,
        volume: () => table.peek.volumes()[0],
        onLostObject: (name) => {
          throw new Error(`A guest writes to ${name}, which is not there.`);
        },
      },
      deps,
      thread,
      { volumeId: VOLUME_ID, guestId: 'guest', writes: 2, manner },
    );

export const ATTACHED: Scene = {
  ...MIGRATION,
  name: 'a migration that an attach ends',
  meanwhile: {
    at: IN_MID_COPY,
    ask: aGuest('attached'),
  },
};

export const MOVED_INSIDE: Scene = {
  name: 'a move inside a backend',
  ask: (deps) => requestMigration(deps, { destination: INSIDE }),
};

export const REFUSED_INSIDE: Scene = {
  ...MOVED_INSIDE,
  name: 'a move inside a backend that says no, and is copied',
  meanwhile: {
    at: /^asks whether/,
    ask: async ({ world }) => {
      world.refusesMoves = true;
    },
  },
};

/** The backend has begun by then, so a guest is refused. */
export const CANCELLED_INSIDE: Scene = {
  ...MOVED_INSIDE,
  name: 'a move inside a backend that is cancelled',
  meanwhile: { at: /^asks after the move/, ask: (sim, deps) => requestCancel(deps, activeId(sim)) },
};

export const ATTACHED_INSIDE: Scene = {
  ...MOVED_INSIDE,
  name: 'a move inside a backend that a guest wants to end',
  meanwhile: {
    at: /^asks after the move|^finishes the move/,
    whenever: true,
    ask: aGuest('rude'),
  },
};

export const RESET_INSIDE: Scene = {
  ...MOVED_INSIDE,
  name: 'a move inside a backend that a reset would end',
  meanwhile: {
    at: /^asks after the move/,
    ask: (_sim, deps) =>
      deps.store.volumes.apply([VOLUME_ID], resetStatus({ migrationStatus: null, nowMs: deps.clock.nowMs() })),
  },
};

export const CANCELLED: Scene = {
  ...LOCKED,
  name: 'a locked migration that is cancelled',
  meanwhile: { at: IN_MID_COPY, ask: (sim, deps) => requestCancel(deps, activeId(sim)) },
};

const KEEPING = { destinationRetentionSeconds: 3600 };

/** Cancelled in mid-copy in its first run, and retried as soon as its end is told. */
const retrying = (name: string, options: Partial<MigrationOptions>): Scene => ({
  name,
  ask: (deps) => requestMigration(deps, { destination, options }),
  meanwhile: {
    at: /^reads chunk 1|Migration Ended/,
    whenever: true,
    async ask({ table }, deps) {
      const [first] = table.peek.migrations();
      if (first?.run !== 1) return;
      if (first.stage.state === 'running') await requestCancel(deps, first.id);
      if (first.stage.state === 'failed') await requestRetry(deps, first.id);
    },
  },
});

export const RETRIED: Scene = retrying('a migration that is retried', KEEPING);
export const RETRIED_ANEW: Scene = retrying('a migration that is retried from the beginning', {});

export const RESET: Scene = {
  ...MIGRATION,
  name: 'a migration that a reset ends',
  meanwhile: {
    at: IN_MID_COPY,
    ask: (_sim, deps) =>
      deps.store.volumes.apply([VOLUME_ID], resetStatus({ migrationStatus: null, nowMs: deps.clock.nowMs() })),
  },
};

/** The destination's storage loses what it was given: what is read back differs. */
export const rots = async ({ world }: Parameters<NonNullable<Scene['meanwhile']>['ask']>[0]): Promise<void> => {
  const destination = [...world.objects.values()].find(({ name }) => name !== FIRST_OBJECT);
  if (destination) destination.content = [destination.content[0], -2];
};

export const REPAIRED: Scene = {
  ...MIGRATION,
  name: 'a migration that differs once',
  meanwhile: { at: /^reads back/, ask: rots },
};

export const NOT_REPAIRED: Scene = {
  ...MIGRATION,
  name: 'a migration that differs always',
  meanwhile: { at: /^reads back/, whenever: true, ask: rots },
};

/** As early as it can be asked for: the execution that has moved the volume still has all of its end before it. */
export const RESTORED: Scene = {
  name: 'a migration whose volume goes back to the source that was kept',
  ask: (deps) => requestMigration(deps, { destination, options: { sourceRetentionSeconds: 3_600 } }),
  meanwhile: {
    at: /^tells Volume Migration Ended/,
    async ask({ table }, deps) {
      for (const { id: migrationId } of table.peek.migrations())
        await restoreVolume(deps)({ migrationId, discardChanges: false, by: 'admin' });
    },
  },
};

export const DELETION: Scene = { name: 'a deletion', ask: requestRemoval };

export const CREATION: Scene = {
  name: 'a creation',
  ask: (deps) =>
    createVolume(deps)({
      caller: { userId: 'user', projectId: 'project', role: 'member' },
      sizeGib: 1,
      name: 'new',
      description: null,
      metadata: {},
      pool: 'host-b@files#ssd',
    }),
};

/** Made by others in the destination's pool; its size is no whole number of GiB. */
const OUTSIDE = anObject('disk1', placeOn('host-b'), 5 * 1024 ** 2 + 512);
const ADOPTED_ID = '77777777-7777-4777-8777-777777777777';
const makeOutside = ({ world }: Sim): void => world.make(OUTSIDE, OUTSIDE.objectName, OUTSIDE.sizeBytes);

const takeOver = (deps: Parameters<Scene['ask']>[0], reference: ObjectReference) =>
  manageVolume(deps)({
    caller: { userId: 'user', projectId: 'project', role: 'admin' },
    host: 'host-b@files#ssd',
    reference,
    name: null,
    description: null,
    metadata: {},
  });

/** Turn by turn with each other. The second names it in another way, so it is known to want the same only when the object was found. */
export const ADOPTION: Scene = {
  name: 'an adoption, and another of the same object at once',
  before: async (sim) => makeOutside(sim),
  ask: (deps) => takeOver(deps, { objectName: OUTSIDE.objectName }),
  meanwhile: { at: /./, ask: (_sim, deps) => takeOver(deps, { objectId: OUTSIDE.objectId }) },
};

export const ADOPTED_MOVE: Scene = {
  name: 'a migration of a volume that was taken over',
  async before(sim) {
    makeOutside(sim);
    const location = { ...OUTSIDE, adoptedBy: ADOPTED_ID };
    const { sizeBytes } = OUTSIDE;
    const volume = aVolume({ id: ADOPTED_ID, location, placement: placeOn('host-b'), sizeBytes });
    await createStore(sim.table.records).volumes.create(volume);
  },
  ask: (deps) => requestMigration(deps, { volumeId: ADOPTED_ID, destination: placeOn('host-c') }),
};

export const SCENES: readonly Scene[] = [
  MIGRATION,
  MOVED_INSIDE,
  REFUSED_INSIDE,
  CANCELLED_INSIDE,
  ATTACHED_INSIDE,
  RESET_INSIDE,
  LOCKED,
  ATTACHED,
  CANCELLED,
  RETRIED,
  RESET,
  REPAIRED,
  NOT_REPAIRED,
  RESTORED,
  DELETION,
  CREATION,
  ADOPTION,
  ADOPTED_MOVE,
];
