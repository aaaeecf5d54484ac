import type { Client } from '../client.ts';
import { EXIT, type ExitCode, mostUrgent } from '../exit-codes.ts';
import type { CliDeps } from '../runtime/deps.ts';
import { createPatience, type Patience } from '../runtime/patience.ts';
import { isSettled, look, type MigrationView } from './monitor.ts';
import { hasBytes } from './phases.ts';
import type { WatchPrinter } from './printer.ts';
import { exitCodeOf } from './verdict.ts';

/** Looks at migrations until all have ended, time is up, or the person leaves; survives a service that restarts meanwhile. */

export interface WatchOptions {
  readonly ids: readonly string[];
  readonly printer: WatchPrinter;
  readonly everyMs: number;
  /** Null: as long as it takes. */
  readonly timeoutMs: number | null;
  /** Aborts when the person leaves. */
  readonly leave: AbortSignal;
}

export type WatchResult =
  | { readonly kind: 'ended'; readonly exitCode: ExitCode; readonly views: readonly MigrationView[] }
  | { readonly kind: 'timed_out'; readonly exitCode: typeof EXIT.timedOut; readonly views: readonly MigrationView[] }
  | { readonly kind: 'left'; readonly exitCode: typeof EXIT.detached; readonly views: readonly MigrationView[] };

/** A removal that takes longer goes on without a watcher: the volume is where it should be. */
const WAIT_FOR_CLEANUP_MS = 30_000;

interface State {
  readonly views: Map<string, MigrationView>;
  readonly endedAtMs: Map<string, number>;
  readonly patience: Patience;
  /** Phases whose agents were asked for a first report, by migration and run. */
  readonly asked: Set<string>;
  trouble: string | null;
}

/** How long a phase may show nothing before its agent is asked: a copy may report every ten seconds only. */
const ASK_AFTER_MS = 2_000;

/** Once for each phase. The answer is seen with the next look, so nobody waits for it, and an agent that is away shows there. */
const askWhoSaysNothing = (
  client: Client,
  { leave }: WatchOptions,
  state: State,
  view: MigrationView,
  nowMs: number,
): void => {
  const { id, run, state: now, phase, progress, story } = view.migration;
  const sinceMs = Date.parse(story.at(-1)?.at ?? '');
  const saysNothing = now === 'running' && hasBytes(phase) && progress?.at === null;
  const phaseOfRun = `${id} ${run} ${phase}`;
  if (!saysNothing || nowMs - sinceMs < ASK_AFTER_MS || state.asked.has(phaseOfRun)) return;
  state.asked.add(phaseOfRun);
  void client.askForReport(id, leave).catch(() => undefined);
};

const isDone = (state: State, id: string, nowMs: number): boolean => {
  const view = state.views.get(id);
  if (view === undefined || !view.ended) return false;
  return isSettled(view) || nowMs - (state.endedAtMs.get(id) ?? nowMs) >= WAIT_FOR_CLEANUP_MS;
};

type Deps = Pick<CliDeps, 'nowMs' | 'sleep'>;

const lookOnce = async (client: Client, deps: Deps, options: WatchOptions, state: State): Promise<void> => {
  const wanted = options.ids.filter((id) => !isDone(state, id, deps.nowMs()));
  try {
    const seen = await Promise.all(wanted.map((id) => client.migration(id, options.leave)));
    const nowMs = deps.nowMs();
    for (const migration of seen) {
      const view = look(state.views.get(migration.id), migration, nowMs);
      state.views.set(migration.id, view);
      askWhoSaysNothing(client, options, state, view, nowMs);
      if (view.ended && !state.endedAtMs.has(migration.id)) state.endedAtMs.set(migration.id, nowMs);
    }
    state.patience.answered();
    state.trouble = null;
  } catch (error) {
    if (options.leave.aborted) throw error;
    state.trouble = state.patience.failed(error);
  }
};

const viewsOf = (options: WatchOptions, state: State): MigrationView[] =>
  options.ids.map((id) => state.views.get(id)).filter((view): view is MigrationView => view !== undefined);

const exitCodeOfAll = (views: readonly MigrationView[]): ExitCode =>
  mostUrgent(views.map((view) => exitCodeOf(view.migration)));

/** Whoever leaves, or runs out of time, while only a cleanup goes on has seen how everything ended. */
const endedOr = (kind: 'timed_out' | 'left', views: MigrationView[], options: WatchOptions): WatchResult => {
  const allEnded = views.length === options.ids.length && views.every((view) => view.ended);
  if (allEnded) return { kind: 'ended', exitCode: exitCodeOfAll(views), views };
  return kind === 'left' ? { kind, exitCode: EXIT.detached, views } : { kind, exitCode: EXIT.timedOut, views };
};

const lookUntilEnd = async (client: Client, deps: Deps, options: WatchOptions, state: State): Promise<WatchResult> => {
  const startedAtMs = deps.nowMs();
  for (;;) {
    await lookOnce(client, deps, options, state);
    const nowMs = deps.nowMs();
    const views = viewsOf(options, state);
    options.printer.update(views, state.trouble, nowMs);
    if (options.ids.every((id) => isDone(state, id, nowMs))) {
      return { kind: 'ended', exitCode: exitCodeOfAll(views), views };
    }
    const leftMs = options.timeoutMs === null ? options.everyMs : startedAtMs + options.timeoutMs - nowMs;
    if (leftMs <= 0) return endedOr('timed_out', views, options);
    await deps.sleep(Math.min(options.everyMs, leftMs), options.leave);
  }
};

export const watch = async (client: Client, deps: Deps, options: WatchOptions): Promise<WatchResult> => {
  const state: State = {
    views: new Map(),
    endedAtMs: new Map(),
    patience: createPatience(deps.nowMs),
    asked: new Set(),
    trouble: null,
  };
  try {
    return await lookUntilEnd(client, deps, options, state);
  } catch (error) {
    if (!options.leave.aborted) throw error;
    return endedOr('left', viewsOf(options, state), options);
  } finally {
    options.printer.close();
  }
};
