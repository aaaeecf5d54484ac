import { toFailure, VolmoveError, volmoveError } from '../../domain/error.ts';
import { progressEvent } from '../../domain/event.ts';
import type { Job, JobControl, JobKind } from '../../domain/job/job.ts';
import { finishJob, type Holder, type JobOutcome, takeJob } from '../../domain/job/steps.ts';
import type { Clock, Notifier, TaskResults } from '../../domain/ports.ts';
import type { Applied } from '../../store/collection.ts';
import { tellResult } from '../../store/results.ts';
import type { Store } from '../../store/store.ts';
import { translate } from '../failures.ts';
import { createTurns } from '../in-turn.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';
import { createControlBox } from './control-box.ts';
import { HANDLERS } from './handlers.ts';
import { createReporter, type Reporter } from './reporter.ts';

/**
 * One attempt of one job, from taking it to telling its result. The result is written to the job first; telling the state
 * machine may be lost, the sweeper repeats it. An attempt that was stopped from outside writes nothing: the next incarnation
 * or attempt takes the job over as it stands.
 */
export interface RunDeps {
  readonly store: Store;
  readonly tasks: TaskResults;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly parts: AgentParts;
  readonly incarnation: string;
  readonly onProblem: (what: string, error: unknown) => void;
}

/** A job that is being run, as the loop sees it. */
export interface RunningJob {
  readonly id: string;
  readonly kind: JobKind;
  /** What the loop read of the job: new wishes, a newer attempt. */
  heard(job: Job): void;
  readonly done: Promise<void>;
}

/** Why an attempt was stopped without a result: nothing is written, the job stays for whoever takes it next. */
class Stopped extends Error {}

export const runJob = (deps: RunDeps, seen: Job, stop: AbortSignal): RunningJob => {
  const control = createControlBox(seen.control);
  const wishes = new AbortController();
  const cancelIfWished = (): void => {
    if (control.current().cancel) wishes.abort(volmoveError('Cancelled', { by: 'the control plane' }));
  };
  control.onChange(cancelIfWished);
  let reportSoon: () => void = () => undefined;
  let lastReportNow = seen.control.reportNow;
  control.onChange(() => {
    if (control.current().reportNow === lastReportNow) return;
    lastReportNow = control.current().reportNow;
    reportSoon();
  });
  const done = attempt(deps, seen, stop, wishes, control, (listener) => {
    reportSoon = listener;
  });
  return { id: seen.id, kind: seen.kind, heard: (job) => control.set(job.control), done };
};

const attempt = async (
  deps: RunDeps,
  seen: Job,
  stop: AbortSignal,
  wishes: AbortController,
  control: ReturnType<typeof createControlBox>,
  onReportNow: (listener: () => void) => void,
): Promise<void> => {
  if (stop.aborted) return;
  const id: [string, string] = [seen.hostId, seen.id];
  const taken = await deps.store.jobs.apply(id, takeJob(deps.incarnation, seen.attempt, deps.clock.nowMs()));
  let holder: Holder = { attempt: taken.value.attempt, incarnation: deps.incarnation };
  control.set(taken.value.control);
  if (taken.value.control.cancel) wishes.abort(volmoveError('Cancelled', { by: 'the control plane' }));
  // a report between the write that raises the attempt and the moment this process knows of it would seem superseded
  const inTurn = createTurns();
  const reporter = createReporter(
    { ...deps, stallAfterSeconds: deps.parts.settings.stallAfterSeconds },
    taken,
    () => holder,
  );
  const reports = new AbortController();
  const signal = AbortSignal.any([stop, wishes.signal]);
  const reporting = keepReporting(
    deps,
    taken,
    () => inTurn(() => reporter.report()),
    wishes,
    control,
    onReportNow,
    AbortSignal.any([signal, reports.signal]),
  );
  const run: JobRun<JobKind> = {
    job: taken.value,
    signal,
    control,
    measured: (progress) => reporter.measured(progress),
    renew: () =>
      inTurn(async () => {
        const again = await deps.store.jobs.apply(id, takeJob(deps.incarnation, holder.attempt, deps.clock.nowMs()));
        holder = { attempt: again.value.attempt, incarnation: deps.incarnation };
        return holder.attempt;
      }),
  };
  const outcome = await act(deps, run, stop, wishes.signal).finally(() => reports.abort());
  await reporting;
  if (outcome instanceof Stopped) return;
  await finish(deps, id, holder, outcome, reporter);
};

const act = async (
  deps: RunDeps,
  run: JobRun<JobKind>,
  stop: AbortSignal,
  wishes: AbortSignal,
): Promise<JobOutcome | Stopped> => {
  try {
    run.signal.throwIfAborted();
    const handler = HANDLERS[run.job.kind] as JobHandler<JobKind>;
    return { ok: true, result: await handler(deps.parts, run) };
  } catch (thrown) {
    if (wishes.aborted && wishes.reason instanceof VolmoveError) {
      return wishes.reason.code === 'JobSuperseded' ? new Stopped() : { ok: false, failure: wishes.reason.toFailure() };
    }
    if (stop.aborted) return new Stopped();
    if (thrown instanceof VolmoveError && thrown.code === 'JobSuperseded') return new Stopped();
    return { ok: false, failure: toFailure(translate(thrown, `job ${run.job.kind} on ${run.job.hostId}`)) };
  }
};

/**
 * A job that somebody else has ended or taken meanwhile is theirs: its result stands, ours is dropped. The state machine is told
 * first: subscribers that cannot be told must not keep a migration waiting.
 */
const finish = async (
  deps: RunDeps,
  id: [string, string],
  holder: Holder,
  outcome: JobOutcome,
  reporter: Reporter,
): Promise<void> => {
  let ended: Applied<Job>;
  const last = reporter.last();
  try {
    ended = await deps.store.jobs.apply(id, finishJob(holder, outcome, deps.clock.nowMs(), last));
  } catch (error) {
    if (error instanceof VolmoveError && error.code === 'JobSuperseded') return;
    throw error;
  }
  try {
    await tellResult(deps)(ended.value);
  } finally {
    if (ended.value.kind === 'data.copy') await deps.parts.checkpoints.forget(ended.value.id);
  }
  const event = last && progressEvent(ended.value, last);
  if (!event) return;
  try {
    await deps.notifier.notify([event]);
  } catch (error) {
    deps.onProblem(`notifying of job ${ended.value.id}`, error);
  }
};

/** Reports at the interval until the attempt ends; learns of cancel and of a takeover with the answers. */
const keepReporting = async (
  deps: RunDeps,
  { value: job }: Applied<Job>,
  report: () => Promise<JobControl>,
  wishes: AbortController,
  control: { set(control: JobControl): void },
  onReportNow: (listener: () => void) => void,
  signal: AbortSignal,
): Promise<void> => {
  const asked = 'progressIntervalSeconds' in job.input ? job.input.progressIntervalSeconds : null;
  const intervalMs = (asked ?? deps.parts.settings.progressIntervalSeconds) * 1000;
  let wake = new AbortController();
  onReportNow(() => wake.abort());
  while (!signal.aborted) {
    await deps.parts.sleep(intervalMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
    wake = new AbortController();
    if (signal.aborted) return;
    try {
      control.set(await report());
    } catch (error) {
      if (error instanceof VolmoveError && error.code === 'JobSuperseded') wishes.abort(error);
      // what cannot be told now is told at the next interval; the lease stops the work when nothing gets through at all
      else deps.onProblem(`report of job ${job.id}`, error);
    }
  }
};
