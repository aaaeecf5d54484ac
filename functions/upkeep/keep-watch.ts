import { newWatch, passWatch } from '../../domain/host/watch.ts';
import type { Deps } from '../shared/deps.ts';

/** The sweeper's mark, before it looks at anything: what comes after a break of its own counts from now on. */
export const keepWatch = async (deps: Pick<Deps, 'store' | 'clock' | 'settings'>): Promise<void> => {
  const nowMs = deps.clock.nowMs();
  if (await deps.store.watch.get()) await deps.store.watch.apply([], passWatch(deps.settings.hostLostAfterMs, nowMs));
  else await deps.store.watch.create(newWatch(nowMs));
};
