import type { Deps } from '../shared/deps.ts';
import { forgetJobs } from './forget-jobs.ts';
import { watchKeeper } from './keep-watch.ts';
import { copyPoolReports, giveBackForgotten } from './pools.ts';
import { sweepMigration } from './sweep-migration.ts';
import { sweepVolume } from './sweep-volume.ts';

export interface SweepCommand {
  /** True for the first pass after a start, and one an hour: reads everything and mends torn index rows. */
  readonly full: boolean;
  /** Also takes ended jobs off their hosts' lists; on AWS the table's time to live does that. */
  readonly tidy?: boolean;
}

export interface Swept {
  readonly volumes: number;
  readonly migrations: number;
  /** What went wrong with single items; the next pass tries them again, and the caller reports them. */
  readonly problems: readonly { readonly id: string; readonly error: unknown }[];
}

/**
 * The sweeper: the guarantee that nothing stays unfinished. It looks at everything that is open and does whatever its
 * writer died before doing. Every act is one that the writer itself could repeat, so it may come too early or twice.
 */
export const sweep =
  (deps: Deps) =>
  async ({ full, tidy = false }: SweepCommand): Promise<Swept> => {
    const open = full ? await deps.store.repair() : await deps.store.open();
    const keepWatch = watchKeeper(deps);
    const problems: { id: string; error: unknown }[] = [];
    const one = async (id: string, act: (id: string) => Promise<void>): Promise<void> => {
      try {
        await act(id);
      } catch (error) {
        // one item must not keep the others from being looked after; the caller reports what is collected here
        problems.push({ id, error });
      }
    };
    await one('pools', () => copyPoolReports(deps));
    await one('reservations', () => giveBackForgotten(deps, open.migrations));
    // a quiet world is not written to: then nobody waits for a host either
    const watched = (act: (id: string) => Promise<void>) => async (id: string) => {
      await keepWatch();
      await act(id);
    };
    for (const id of open.volumes) await one(id, watched(sweepVolume(deps)));
    for (const id of open.migrations) await one(id, watched(sweepMigration(deps)));
    if (tidy) for (const host of await deps.store.hosts.all()) await one(host.id, forgetJobs(deps));
    return { volumes: open.volumes.length, migrations: open.migrations.length, problems };
  };
