import { VolmoveError } from '../../../domain/error.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import type { Placement } from '../../../domain/placement.ts';
import { resetStatus } from '../../../domain/volume/reset.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { VOLUME_ID } from '../factories.ts';
import { type Session, useVolume } from './guest.ts';
import {
  requestCancel,
  requestMigration,
  requestPause,
  requestRemoval,
  requestRestore,
  requestResume,
  requestRetry,
} from './requests.ts';
import { HOSTS, INSIDE, neighbourId, placeOn } from './sim.ts';
import type { Move, Stage } from './stage.ts';
import type { Thread } from './turns.ts';

/** What administrators and guests may ask for next. */

/** A request that is refused is an answer, not an accident. */
const answered = async (request: Promise<unknown>): Promise<void> => {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof VolmoveError)) throw error;
  }
};

type Ask = (deps: Deps, thread: Thread) => Promise<unknown>;

const request = (stage: Stage, weight: number, label: string, ask: Ask): Move => ({
  weight,
  label,
  act: () => {
    stage.left.requests -= 1;
    stage.saw.add(label);
    const kind = label.startsWith('guest') ? 'guest' : 'api';
    stage.sim.spawn(label, kind, (deps, thread) => answered(ask(deps, thread)));
  },
});

const MANNERS: readonly Session['manner'][] = ['attached', 'connected', 'rude'];

export const guestComes = (stage: Stage, weight: number): Move => {
  const { sim, checks, chance } = stage;
  const { turns, world, table } = sim;
  const volume = (): Volume | undefined => table.peek.volumes().find(({ id }) => id === VOLUME_ID);
  const onLostObject = (name: string): void => checks.accuse(`a guest writes to ${name}, which is not there`);
  return request(stage, weight, 'guest', (deps, thread) =>
    useVolume({ turns, world, volume, onLostObject }, deps, thread, {
      volumeId: VOLUME_ID,
      guestId: `guest-${table.writes()}`,
      writes: 1 + chance.below(3),
      manner: MANNERS[chance.below(MANNERS.length)] ?? 'rude',
    }),
  );
};

/** The other pool of the system that the volume is on, where that has two. */
const besides = (place: Placement | undefined): Placement =>
  place?.pool === INSIDE.pool ? placeOn(INSIDE.hostId) : INSIDE;

const migrations = (stage: Stage, idle: boolean): Move[] => {
  const { sim, chance, mood } = stage;
  const { volumes, migrations } = sim.table.peek;
  const active = migrations().filter((migration) => migration.volumeId === VOLUME_ID && !isEnded(migration));
  const place = volumes().find(({ id }) => id === VOLUME_ID)?.location ?? undefined;
  const here = place?.hostId ?? 'host-a';
  const others = HOSTS.filter((hostId) => hostId !== here);
  const elsewhere = others[chance.below(others.length)] ?? here;
  const second = active.length > 0 ? 'migrate while another is under way' : 'migrate';
  return [
    request(stage, idle ? 2 : 0.015, second, (deps) => {
      const inside = chance.happens(0.2 * mood.inside);
      const destination = inside ? besides(place) : placeOn(chance.happens(0.9) ? elsewhere : here);
      const keeps = !inside && chance.happens(0.3 + 0.1 * mood.restore);
      const sourceRetentionSeconds = keeps ? 20 + chance.below(60) : 0;
      const destinationRetentionSeconds = chance.happens(0.3 + 0.1 * mood.retry) ? 60 : 0;
      const lock = chance.happens(0.3);
      return requestMigration(deps, {
        destination,
        options: { lock, sourceRetentionSeconds, destinationRetentionSeconds },
      });
    }),
    request(stage, idle ? 0.5 : 0.006, 'migrate, to be repeated', (deps) =>
      requestMigration(deps, { destination: placeOn('host-b'), key: 'the same' }),
    ),
    request(stage, 0.02 * mood.neighbour, 'migrate the neighbour', (deps) => {
      const destination = active[0]?.destination ?? placeOn(elsewhere);
      return requestMigration(deps, { volumeId: neighbourId(1), destination });
    }),
    ...active.flatMap(({ id, wishes }) => [
      request(stage, 0.004 * mood.cancel, 'cancel', (deps) => requestCancel(deps, id)),
      wishes.pause
        ? request(stage, 0.02 * mood.hold, 'resume', (deps) => requestResume(deps, id))
        : request(stage, 0.01 * mood.hold, 'hold', (deps) => requestPause(deps, id)),
    ]),
  ];
};

const GENTLE_RESTORE = 'restore';
const DISCARDING_RESTORE = 'restore that discards changes';

/** A failed migration goes on, and a volume goes back to a source that is still kept. */
const secondThoughts = (stage: Stage, idle: boolean): Move[] => {
  const { sim, mood, checks } = stage;
  const volume = sim.table.peek.volumes().find(({ id }) => id === VOLUME_ID);
  const failed = sim.table.peek
    .migrations()
    .findLast(({ volumeId, stage: { state } }) => volumeId === VOLUME_ID && state === 'failed');
  const sources = volume?.retained.filter(({ kind }) => kind === 'source') ?? [];
  const eager = idle ? 30 : 3;
  return [
    ...(failed ? [request(stage, 0.03 * eager * mood.retry, 'retry', (deps) => requestRetry(deps, failed.id))] : []),
    // a restore is most telling when the guest has written since
    ...(sources.length > 0 ? [guestComes(stage, 0.1 * mood.restore)] : []),
    ...sources.flatMap(({ migrationId, writeEpoch }) => [
      request(stage, 0.02 * (writeEpoch === volume?.writeEpoch ? 1 : eager) * mood.restore, GENTLE_RESTORE, (deps) =>
        requestRestore(deps, migrationId, false),
      ),
      request(
        stage,
        0.02 * (writeEpoch === volume?.writeEpoch ? 1 : eager) * mood.restore,
        DISCARDING_RESTORE,
        (deps) => checks.whileDiscarding(() => answered(requestRestore(deps, migrationId, true))),
      ),
    ]),
  ];
};

export const people = (stage: Stage): Move[] => {
  const { sim, left, mood } = stage;
  if (left.requests <= 0) return [];
  const { table, turns } = sim;
  const idle = table.peek.migrations().every(isEnded) && turns.pending().length === 0;
  const volume = table.peek.volumes().find(({ id }) => id === VOLUME_ID);
  const hasMoved = volume?.lastOutcome?.result === 'success';
  return [
    ...migrations(stage, idle),
    ...secondThoughts(stage, idle),
    guestComes(stage, (hasMoved ? 0.03 : 0.008) * mood.guest),
    request(stage, 0.003 * mood.reset, 'reset', (deps) =>
      deps.store.volumes.apply([VOLUME_ID], resetStatus({ migrationStatus: null, nowMs: deps.clock.nowMs() })),
    ),
    request(stage, 0.003 * mood.delete, volume?.claim ? 'delete while it is moved' : 'delete', (deps) =>
      requestRemoval(deps),
    ),
  ];
};
