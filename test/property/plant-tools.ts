import type { Decision } from '../../domain/decision.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import type { Store } from '../../store/store.ts';
import type { StoryOptions } from '../helpers/sim/stage.ts';

/** Sentences of the design left out one at a time: a search that does not see them would be worth nothing. */
export interface Plant extends StoryOptions {
  readonly name: string;
  /** What the search has to say about it. */
  readonly seenAs: RegExp;
  /** The first seed of the search: one not far below a story that shows it. */
  readonly from?: number;
}
export type Change = NonNullable<Plant['plant']>;

type Collections = { [K in keyof Store]?: Partial<Store[K]> };

export const withStore = (deps: Deps, change: Collections): Deps => {
  const { store } = deps;
  const volumes = { ...store.volumes, ...change.volumes };
  const migrations = { ...store.migrations, ...change.migrations };
  const jobs = { ...store.jobs, ...change.jobs };
  const tokens = { ...store.tokens, ...change.tokens };
  const pools = { ...store.pools, ...change.pools };
  return { ...deps, store: { ...store, volumes, migrations, jobs, tokens, pools } };
};

export type VolumeRule = (volume: Volume) => Decision<Volume>;
export const applyingTo = (deps: Deps, around: (rule: VolumeRule) => VolumeRule): Deps =>
  withStore(deps, { volumes: { apply: (id, rule, seen) => deps.store.volumes.apply(id, around(rule), seen) } });

/** What the rule has decided to write, with something put back or left out. */
export const changed = <T>(decision: Decision<T>, change: (next: T) => T): Decision<T> =>
  decision.kind === 'write' ? { kind: 'write', next: change(decision.next) } : decision;
