import { type Migration, migrationLabel, type Progress } from '../api/types.ts';
import { pauseState } from '../output/pause.ts';
import { hasBytes, type PhaseRow, phaseRows } from './phases.ts';

/**
 * What is known of a watched migration, from one look to the next: (view before, migration now, time now) -> view now.
 * No I/O, no clock; printers only draw it. Within a phase it never goes back, and it says 100 % only after a success.
 */

export interface ShownProgress {
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** 0 to 99 until the migration has succeeded. */
  readonly percent: number;
  readonly rateBytesPerSecond: number;
  /** Null: unknown. */
  readonly etaSeconds: number | null;
  readonly attempt: number;
  /** Bytes of the end of a larger destination; null unless it is being zeroed. */
  readonly zeroing: { readonly doneBytes: number; readonly totalBytes: number } | null;
  /** How long nothing has moved, as the service says; null while it moves. */
  readonly stalledSeconds: number | null;
  /** How long ago a report came that this watch had not seen, by the watcher's own clock. */
  readonly reportAgeMs: number;
}

/** What changed since the look before: one item is one line in a log. */
export type News =
  | { readonly kind: 'seen' }
  | { readonly kind: 'run' }
  | { readonly kind: 'phase' }
  | { readonly kind: 'attempt' }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'moving_again' }
  | { readonly kind: 'cancelling' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'limit' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'cleanup' };

export interface MigrationView {
  readonly migration: Migration;
  readonly label: string;
  readonly phases: readonly PhaseRow[];
  readonly progress: ShownProgress | null;
  /** In words; undefined when no pause is wished. */
  readonly pause: string | undefined;
  readonly ended: boolean;
  readonly news: readonly News[];
  readonly reportSeenAtMs: number;
}

export const isOver = (migration: Migration): boolean =>
  migration.state !== 'requested' && migration.state !== 'running';

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** The same progress goes on: same run, same phase; only then can a lower number be an older one. */
const continues = (previous: MigrationView | undefined, migration: Migration, progress: Progress): boolean =>
  previous?.migration.run === migration.run && previous.progress?.phase === progress.phase;

const stalledSeconds = (progress: Progress, nowMs: number): number | null => {
  if (progress.stalled_since === null) return null;
  const sinceMs = Date.parse(progress.stalled_since);
  return Number.isNaN(sinceMs) ? 0 : Math.max(0, Math.round((nowMs - sinceMs) / 1000));
};

const running = (
  previous: MigrationView | undefined,
  migration: Migration,
  progress: Progress,
  nowMs: number,
  reportSeenAtMs: number,
): ShownProgress => {
  const before = continues(previous, migration, progress) ? previous?.progress : undefined;
  const totalBytes = Math.max(progress.total_bytes, before?.totalBytes ?? 0);
  const doneBytes = clamp(Math.max(progress.done_bytes, before?.doneBytes ?? 0), 0, totalBytes);
  const reported = totalBytes === 0 ? progress.percent : (doneBytes / totalBytes) * 100;
  const rateBytesPerSecond = Math.max(0, progress.rate_bytes_per_second);
  return {
    phase: progress.phase,
    doneBytes,
    totalBytes,
    percent: clamp(Math.max(Math.floor(reported), before?.percent ?? 0), 0, 99),
    rateBytesPerSecond,
    etaSeconds: rateBytesPerSecond === 0 ? null : progress.eta_seconds,
    attempt: Math.max(progress.attempt, before?.attempt ?? 0),
    zeroing: zeroingOf(progress),
    stalledSeconds: stalledSeconds(progress, nowMs),
    reportAgeMs: Math.max(0, nowMs - reportSeenAtMs),
  };
};

export const zeroingOf = ({ zeroing }: Progress): ShownProgress['zeroing'] =>
  zeroing && { doneBytes: zeroing.done_bytes, totalBytes: zeroing.total_bytes };

const whole = (migration: Migration): ShownProgress => ({
  phase: 'succeeded',
  doneBytes: migration.size_bytes,
  totalBytes: migration.size_bytes,
  percent: 100,
  rateBytesPerSecond: 0,
  etaSeconds: null,
  attempt: migration.progress?.attempt ?? 1,
  zeroing: null,
  stalledSeconds: null,
  reportAgeMs: 0,
});

const progressOf = (
  previous: MigrationView | undefined,
  migration: Migration,
  nowMs: number,
  reportSeenAtMs: number,
): ShownProgress | null => {
  if (migration.state === 'succeeded') return whole(migration);
  if (migration.progress !== null && hasBytes(migration.progress.phase))
    return running(previous, migration, migration.progress, nowMs, reportSeenAtMs);
  return previous?.migration.run === migration.run ? previous.progress : null;
};

const newsOf = (previous: MigrationView | undefined, view: Omit<MigrationView, 'news'>): News[] => {
  const { migration, progress } = view;
  if (previous === undefined) return view.ended ? [{ kind: 'ended' }] : [{ kind: 'seen' }];
  const before = previous.migration;
  const news: (News | false)[] = [
    before.run !== migration.run && { kind: 'run' },
    !before.cancel_wished && migration.cancel_wished && !view.ended && { kind: 'cancelling' },
    before.phase !== migration.phase && !view.ended && { kind: 'phase' },
    previous.pause !== view.pause && !view.ended && { kind: 'pause' },
    before.bandwidth_bytes_per_second !== migration.bandwidth_bytes_per_second && !view.ended && { kind: 'limit' },
    previous.progress?.phase === progress?.phase &&
      (progress?.attempt ?? 0) > (previous.progress?.attempt ?? 0) && { kind: 'attempt' },
    previous.progress?.stalledSeconds == null && progress?.stalledSeconds != null && { kind: 'stalled' },
    previous.progress?.stalledSeconds != null &&
      progress?.stalledSeconds == null &&
      !view.ended && { kind: 'moving_again' },
    !previous.ended && view.ended && { kind: 'ended' },
    previous.ended && before.cleanup.state !== migration.cleanup.state && { kind: 'cleanup' },
  ];
  return news.filter((item): item is News => item !== false);
};

/** How a run ended never changes: an answer that says something else of the same run is an older one. */
const isOlder = (previous: MigrationView | undefined, migration: Migration): boolean =>
  previous !== undefined &&
  (migration.run < previous.migration.run ||
    (migration.run === previous.migration.run && previous.ended && migration.state !== previous.migration.state));

export const look = (previous: MigrationView | undefined, seen: Migration, nowMs: number): MigrationView => {
  const migration = previous !== undefined && isOlder(previous, seen) ? previous.migration : seen;
  const sameReport = previous !== undefined && previous.migration.progress?.at === migration.progress?.at;
  const reportSeenAtMs = sameReport ? previous.reportSeenAtMs : nowMs;
  const view = {
    migration,
    label: migrationLabel(migration),
    phases: phaseRows(migration, nowMs),
    progress: progressOf(previous, migration, nowMs, reportSeenAtMs),
    pause: pauseState(migration),
    ended: isOver(migration),
    reportSeenAtMs,
  };
  return { ...view, news: newsOf(previous, view) };
};

/** Nothing more is worth waiting for: it has ended, and its cleanup is done or wants a person. */
export const isSettled = (view: MigrationView): boolean => view.ended && view.migration.cleanup.state !== 'pending';
