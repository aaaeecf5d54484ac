import { volmoveError } from '../../../domain/error.ts';
import type { DriverDeps } from '../registry.ts';
import type { FoundPool } from './cluster.ts';
import { heldBy } from './errors.ts';
import type { Images } from './images.ts';
import { imageSpec } from './names.ts';

/**
 * Who has an image open. The cluster takes a client that has died for alive until its watch expires: so one that this agent has lost
 * a moment ago is waited for, unless this agent has the image open again, when a watcher may be just that.
 */
export interface Users {
  /** Until `closed` of the answer is called. */
  opened(where: FoundPool, image: string): { closed(): void };
  /** A process of this agent ended without closing the image. */
  lost(where: FoundPool, image: string): void;
  /** ObjectBusy, with who it is. */
  requireNone(where: FoundPool, image: string, signal: AbortSignal): Promise<void>;
  /** The same of one without a name, by its id; whoever it is, is waited for as long as it may be one that has died. */
  requireNoneById(
    where: FoundPool,
    image: { readonly name: string; readonly id: string },
    signal: AbortSignal,
  ): Promise<void>;
}

/** `osd_client_watch_timeout` is 30 s, and is looked at now and then. */
export const WATCH_EXPIRES_MS = 45_000;
const LOOK_EVERY_MS = 1_000;

export const usersOf = (images: Images, { monotonicMs, sleep }: Pick<DriverDeps, 'monotonicMs' | 'sleep'>): Users => {
  const open = new Map<string, number>();
  const lostAtMs = new Map<string, number>();
  const key = ({ pool }: FoundPool, image: string): string => imageSpec(pool, image);
  const count = (name: string, by: number): void => {
    const now = (open.get(name) ?? 0) + by;
    if (now === 0) open.delete(name);
    else open.set(name, now);
  };
  return {
    opened(where, image) {
      const name = key(where, image);
      count(name, 1);
      let isOpen = true;
      return {
        closed() {
          if (isOpen) count(name, -1);
          isOpen = false;
        },
      };
    },
    lost: (where, image) => void lostAtMs.set(key(where, image), monotonicMs()),
    async requireNone(where, image, signal) {
      const name = key(where, image);
      for (;;) {
        const watchers = (await images.status(where, image, signal))?.watchers ?? [];
        if (watchers.length === 0) break;
        const lostMs = lostAtMs.get(name) ?? Number.NEGATIVE_INFINITY;
        if (open.has(name) || monotonicMs() - lostMs > WATCH_EXPIRES_MS)
          throw volmoveError('ObjectBusy', {
            object: image,
            reason: heldBy(watchers.map(({ address }) => address)),
          });
        await sleep(LOOK_EVERY_MS, signal);
      }
      lostAtMs.delete(name);
    },
    async requireNoneById(where, { name, id }, signal) {
      const deadlineMs = monotonicMs() + WATCH_EXPIRES_MS;
      for (;;) {
        const watchers = await images.watchersById(where, id, signal);
        if (watchers.length === 0) return;
        if (monotonicMs() > deadlineMs) throw volmoveError('ObjectBusy', { object: name, reason: heldBy(watchers) });
        await sleep(LOOK_EVERY_MS, signal);
      }
    },
  };
};
