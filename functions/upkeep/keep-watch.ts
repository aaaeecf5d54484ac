import { markEveryMs, markWatch, newWatch } from '../../domain/host/watch.ts';
import type { Deps } from '../shared/deps.ts';

type WatchDeps = Pick<Deps, 'store' | 'clock' | 'settings'>;

const mark = async ({ store, settings }: WatchDeps, nowMs: number): Promise<void> => {
  if (await store.watch.get()) await store.watch.apply([], markWatch(settings.hostLostAfterMs, nowMs));
  else await store.watch.create(newWatch(nowMs));
};

/**
 * One pass of the sweeper: asked before it looks at each thing, it leaves its first mark and then one in a while. What comes after
 * a break of its own counts from the next mark on, and a pass that takes long is no break.
 */
export const watchKeeper = (deps: WatchDeps): (() => Promise<void>) => {
  let dueAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    const nowMs = deps.clock.nowMs();
    if (nowMs < dueAtMs) return;
    await mark(deps, nowMs);
    dueAtMs = nowMs + markEveryMs(deps.settings.hostLostAfterMs);
  };
};
