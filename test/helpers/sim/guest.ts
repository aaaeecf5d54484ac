import type { Decision } from '../../../domain/decision.ts';
import { VolmoveError } from '../../../domain/error.ts';
import {
  attach,
  beginDetaching,
  connect,
  detach,
  disconnect,
  reserve,
  unreserve,
} from '../../../domain/volume/guest.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import type { Thread, Turns } from './turns.ts';
import type { World } from './world.ts';

/**
 * A guest that uses the volume: it writes where initialize_connection has told it to, for as long as its connection stands.
 * Nothing that it was allowed to write may ever be lost.
 */
export interface GuestParts {
  readonly turns: Turns;
  readonly world: World;
  readonly volume: () => Volume | undefined;
  /** Called when a guest writes to an object that is not there. */
  readonly onLostObject: (name: string) => void;
}

export interface Session {
  readonly volumeId: string;
  readonly guestId: string;
  readonly writes: number;
  /** `attached`: os-attach and os-detach; `connected`: terminate and unreserve; `rude`: unreserve with the connection open. */
  readonly manner: 'attached' | 'connected' | 'rude';
}

const writeOnce = ({ turns, world, volume, onLostObject }: GuestParts, thread: Thread, guestId: string, path: string) =>
  turns.turn(thread, `writes to ${path}`, () => {
    const connected = volume()?.connections.some((connection) => connection.id === guestId) ?? false;
    if (connected && !world.guestWrites(path)) onLostObject(path);
  });

type Rule = (volume: Volume) => Decision<Volume>;

/** Undefined when it was refused: that is an answer. */
const askTo = async (deps: Deps, volumeId: string, rule: Rule): Promise<Volume | undefined> => {
  try {
    return (await deps.store.volumes.apply([volumeId], rule)).value;
  } catch (error) {
    if (error instanceof VolmoveError) return undefined;
    throw error;
  }
};

export const useVolume = async (parts: GuestParts, deps: Deps, thread: Thread, session: Session): Promise<void> => {
  const { volumeId, guestId, manner } = session;
  const now = (): number => deps.clock.nowMs();
  const ask = (rule: Rule): Promise<Volume | undefined> => askTo(deps, volumeId, rule);
  const write = async (path: string, times: number): Promise<void> => {
    for (let n = 0; n < times; n++) await writeOnce(parts, thread, guestId, path);
  };

  if (!(await ask(reserve(now())))) return;
  const connected = await ask(connect({ id: guestId, host: guestId, atMs: now() }));
  const path = connected?.location?.objectName;
  if (path !== undefined) {
    await write(path, session.writes);
    if (manner === 'attached') {
      const attachment = {
        id: guestId,
        instanceId: null,
        hostName: guestId,
        mountpoint: '/',
        mode: 'rw',
        atMs: now(),
      } as const;
      if (await ask(attach(attachment))) {
        await write(path, 1);
        await ask(beginDetaching(now()));
        await write(path, 1);
        await ask(detach(guestId, now()));
        return;
      }
    }
    if (manner !== 'rude') await ask(disconnect(guestId, now()));
  }
  await ask(unreserve(now()));
  if (manner === 'rude' && path !== undefined) await write(path, 1);
};

/** What an administrator does for a guest that has died with the volume reserved or attached. */
export const freeVolume = async (deps: Deps, volumeId: string): Promise<void> => {
  const nowMs = deps.clock.nowMs();
  const { attachments = [] } = (await deps.store.volumes.get(volumeId)) ?? {};
  const rules = [disconnect(null, nowMs), ...attachments.map(({ id }) => detach(id, nowMs)), unreserve(nowMs)];
  for (const rule of rules) await askTo(deps, volumeId, rule);
};
