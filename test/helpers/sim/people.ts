import { VolmoveError } from '../../../domain/error.ts';
import { isEnded } from '../../../domain/migration/migration.ts';
import { resetStatus } from '../../../domain/volume/reset.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { VOLUME_ID } from '../factories.ts';
import { type Session, useVolume } from './guest.ts';
import { requestCancel, requestMigration, requestRemoval } from './requests.ts';
import { HOSTS, placeOn } from './sim.ts';
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

export const people = (stage: Stage): Move[] => {
  const { sim, chance, left, mood } = stage;
  if (left.requests <= 0) return [];
  const { table, turns } = sim;
  const active = table.peek.migrations().filter((migration) => !isEnded(migration));
  const idle = active.length === 0 && turns.pending().length === 0;
  const here = table.peek.volumes()[0]?.location?.hostId ?? 'host-a';
  const others = HOSTS.filter((hostId) => hostId !== here);
  const elsewhere = others[chance.below(others.length)] ?? here;
  const hasMoved = table.peek.volumes().some(({ lastOutcome }) => lastOutcome?.result === 'success');
  return [
    request(stage, idle ? 2 : 0.015, 'migrate', (deps) => {
      const destination = placeOn(chance.happens(0.9) ? elsewhere : here);
      const sourceRetentionSeconds = chance.happens(0.3) ? 20 : 0;
      return requestMigration(deps, { destination, options: { lock: chance.happens(0.3), sourceRetentionSeconds } });
    }),
    request(stage, idle ? 0.5 : 0.006, 'migrate, to be repeated', (deps) =>
      requestMigration(deps, { destination: placeOn('host-b'), key: 'the same' }),
    ),
    ...active.map(({ id }) => request(stage, 0.004 * mood.cancel, 'cancel', (deps) => requestCancel(deps, id))),
    guestComes(stage, (hasMoved ? 0.03 : 0.008) * mood.guest),
    request(stage, 0.003 * mood.reset, 'reset', (deps) =>
      deps.store.volumes.apply([VOLUME_ID], resetStatus({ migrationStatus: null, nowMs: deps.clock.nowMs() })),
    ),
    request(stage, 0.003 * mood.delete, 'delete', (deps) => requestRemoval(deps)),
  ];
};
