import { toFailure, VolmoveError, volmoveError } from '../../domain/error.ts';
import { progressEvent } from '../../domain/event.ts';
import { type Job, type JobKind, keptForRetrySeconds, writesToPeer } from '../../domain/job/job.ts';
import { finishJob, type Holder, type JobOutcome, takeJob } from '../../domain/job/steps.ts';
import type { Clock, Notifier, TaskResults } from '../../domain/ports.ts';
import type { Applied } from '../../store/collection.ts';
import { tellResult } from '../../store/results.ts';
import type { Store } from '../../store/store.ts';
import { translate } from '../failures.ts';
import { createTurns } from '../in-turn.ts';
import { LeaseLapsed } from '../lease.ts';
import type { AgentParts, JobHandler, JobRun, Measured } from './context.ts';
import { type ControlBox, createControlBox } from './control-box.ts';
import { HANDLERS } from './handlers.ts';
import { createPlace, type Place } from './place.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { type Bell, createBell, keepReporting } from './reporting.ts';

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
  /** It has given up its place: a pause is wished, or was until now. */
  readonly rests: boolean;
  /** The pause is over: it goes on when it is given a place again. */
  readonly waits: boolean;
  goOn(): void;
  /** What the loop read of the job: new wishes, a newer attempt. */
  heard(job: Job): void;
  readonly done: Promise<void>;
}

/** Why an attempt was stopped without a result: nothing is written, the job stays for whoever takes it next. */
class Stopped extends Error {}

/** A control plane that is away says nothing about the job: a copy must not fail for it. What it refuses is told. */
const stoppedUnlessRefused = (deps: RunDeps, jobId: string, error: unknown): Error => {
  if (error instanceof VolmoveError) return error;
  deps.onProblem(`a new attempt of job ${jobId}, which is tried again`, error);
  return new Stopped();
};

/** `onPlace` hears when the job gives up its place, or wants one. */
export const runJob = (deps: RunDeps, seen: Job, stop: AbortSignal, onPlace: () => void): RunningJob => {
  const control = createControlBox(seen.control);
  const place = createPlace(seen.control, control);
  place.onChange(onPlace);
  const wishes = new AbortController();
  const cancelIfWished = (): void => {
    if (control.current().cancel) wishes.abort(volmoveError('Cancelled', { by: 'the control plane' }));
  };
  control.onChange(cancelIfWished);
  const bell = createBell();
  let lastReportNow = seen.control.reportNow;
  control.onChange(() => {
    if (control.current().reportNow === lastReportNow) return;
    lastReportNow = control.current().reportNow;
    bell.ring();
  });
  const done = attempt(deps, seen, stop, { wishes, control, bell, place });
  return {
    id: seen.id,
    kind: seen.kind,
    get rests() {
      return !place.held;
    },
    get waits() {
      return place.waits;
    },
    goOn: () => place.goOn(),
    heard: (job) => place.heard(job.control),
    done,
  };
};

interface Wished {
  readonly wishes: AbortController;
  readonly control: ControlBox;
  readonly bell: Bell;
  readonly place: Place;
}

const attempt = async (
  deps: RunDeps,
  seen: Job,
  stop: AbortSignal,
  { wishes, control, bell, place }: Wished,
): Promise<void> => {
  if (stop.aborted) return;
  const id: [string, string] = [seen.hostId, seen.id];
  const taken = await deps.store.jobs.apply(id, takeJob(deps.incarnation, seen.attempt, deps.clock.nowMs()));
  let holder: Holder = { attempt: taken.value.attempt, incarnation: deps.incarnation };
  place.heard(taken.value.control);
  if (taken.value.control.cancel) wishes.abort(volmoveError('Cancelled', { by: 'the control plane' }));
  // a report between the write that raises the attempt and the moment this process knows of it would seem superseded
  const inTurn = createTurns();
  const { monotonicMs, settings } = deps.parts;
  const reporter = createReporter({ ...deps, ...settings, monotonicMs }, taken, () => holder);
  const reports = new AbortController();
  const signal = AbortSignal.any([stop, wishes.signal]);
  const reporting = keepReporting(
    {
      intervalMs: intervalMsOf(deps, taken.value),
      stall: reporter.stall,
      report: () => inTurn(() => reporter.report()),
      onControl: (wished) => place.heard(wished),
      end: (reason) => wishes.abort(reason),
      onProblem: (error) => deps.onProblem(`report of job ${seen.id}`, error),
      sleep: deps.parts.sleep,
      bell,
    },
    AbortSignal.any([signal, reports.signal]),
  );
  let measured: Measured | undefined;
  let { activity } = taken.value.progress ?? {};
  const tell = (now: Measured): void => {
    const told = place.told(now);
    reporter.measured(told);
    // a pause or a wait that has begun, or is over, is told at once
    if (told.activity !== activity) bell.ring();
    activity = told.activity;
  };
  // nothing moves then, so nobody measures
  place.onChange(() => measured?.activity === 'paused' && tell(measured));
  const run: JobRun<JobKind> = {
    job: taken.value,
    signal,
    control,
    measured(progress) {
      measured = progress;
      tell(progress);
    },
    renew: () =>
      inTurn(async () => {
        const again = await deps.store.jobs
          .apply(id, takeJob(deps.incarnation, holder.attempt, deps.clock.nowMs()))
          .catch((error: unknown) => {
            throw stoppedUnlessRefused(deps, seen.id, error);
          });
        holder = { attempt: again.value.attempt, incarnation: deps.incarnation };
        return holder.attempt;
      }),
  };
  const acting = act(deps, run, stop, wishes.signal);
  const outcome = await Promise.race([acting, givenUp(deps, wishes.signal, reports.signal)]);
  reports.abort();
  await reporting;
  if (!(outcome instanceof Stopped)) await finish(deps, id, holder, outcome, reporter);
  // its slot is not free before its I/O has ended
  await acting;
};

const intervalMsOf = ({ parts }: RunDeps, { input }: Job): number => {
  const asked = 'progressIntervalSeconds' in input ? input.progressIntervalSeconds : null;
  return (asked ?? parts.settings.progressIntervalSeconds) * 1000;
};

const STOP_GRACE_MS = 15_000;

/**
 * I/O that hangs in the kernel cannot be ended. Whoever waits for a job that has to end hears of its end all the same, after a
 * grace: what it still writes finds its export sealed.
 */
const givenUp = (deps: RunDeps, wishes: AbortSignal, over: AbortSignal): Promise<JobOutcome> =>
  new Promise((resolve) => {
    const wait = async (): Promise<void> => {
      const reason: unknown = wishes.reason;
      if (!(reason instanceof VolmoveError) || reason.code === 'JobSuperseded') return;
      // ends early when the job does: then nobody waits for this any more
      const passed = await deps.parts.sleep(STOP_GRACE_MS, over).then(
        () => true,
        () => false,
      );
      if (passed) resolve({ ok: false, failure: reason.toFailure() });
    };
    if (wishes.aborted) void wait();
    else wishes.addEventListener('abort', () => void wait(), { once: true });
  });

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
    // also of a lease before this attempt's, which something that was opened under it may still name
    if (stop.aborted || thrown instanceof Stopped || thrown instanceof LeaseLapsed) return new Stopped();
    if (thrown instanceof VolmoveError && thrown.code === 'JobSuperseded') return new Stopped();
    return { ok: false, failure: toFailure(translate(thrown, `job ${run.job.kind} on ${run.job.hostId}`)) };
  }
};

/** A retry may go on with a copy that has failed: its checkpoint and leaves stay for as long as the job is on the host's list. */
const forgetUnlessKept = async ({ parts }: RunDeps, job: Job): Promise<void> => {
  if (keptForRetrySeconds(job) > 0) return;
  if (writesToPeer(job.kind)) await parts.checkpoints.forget(job.id);
  if (job.stage.state === 'failed') await parts.leaves.forget(job.id);
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
    await forgetUnlessKept(deps, ended.value);
  }
  const event = last && progressEvent(ended.value, last);
  if (!event) return;
  try {
    await deps.notifier.notify([event]);
  } catch (error) {
    deps.onProblem(`notifying of job ${ended.value.id}`, error);
  }
};
