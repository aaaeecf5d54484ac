import { DEFAULT_PRIORITY } from '../../domain/priority.ts';
import { type Migration, migrationLabel, type StoryEntry } from '../api/types.ts';
import { progressWords } from '../watch/bar.ts';
import { look as lookAt } from '../watch/monitor.ts';
import { CLEANUP_REMEDY, remedyOf } from '../watch/verdict.ts';
import { keptLines } from './kept.ts';
import { type Line, span } from './line.ts';
import { cleanupState, migrationState, since } from './status.ts';
import { type Column, renderFacts, renderTable, type TableLook } from './table.ts';
import { tookMs } from './took.ts';
import { bytes, duration, limit, utc } from './units.ts';

/** Everything about one migration: what it is, how it went step by step, what it proved, and what is left to do. */

interface Step {
  readonly entry: StoryEntry;
  /** Empty where the entry tells more of the step before it. */
  readonly name: string;
  /** Until another step begins; null where the entry tells more of the step before it, and for the last. */
  readonly tookMs: number | null;
}

/** Nothing takes time in these. */
const ENDS = new Set<string>(['succeeded', 'failed', 'refused', 'restored']);

const stepsOf = (migration: Migration, nowMs: number): Step[] =>
  migration.story.map((entry, index, story) => {
    if (story[index - 1]?.to === entry.to) return { entry, name: '', tookMs: null };
    const next = story.slice(index).find(({ to }) => to !== entry.to);
    const over = migration.ended_at !== null;
    const untilMs = next === undefined ? (over ? null : nowMs) : Date.parse(next.at);
    const tookMs = untilMs === null || ENDS.has(entry.to) ? null : untilMs - Date.parse(entry.at);
    return { entry, name: entry.to.replaceAll('_', ' '), tookMs };
  });

const stepColumns = (severalRuns: boolean): readonly Column<Step>[] => [
  { title: 'TIME (UTC)', cell: ({ entry }) => span(utc(entry.at)) },
  ...(severalRuns
    ? [{ title: 'RUN', cell: ({ entry }: Step) => span(String(entry.run)), align: 'right' as const }]
    : []),
  { title: 'STEP', cell: (step) => span(step.name) },
  { title: 'TOOK', cell: (step) => span(step.tookMs === null ? '' : duration(step.tookMs)), align: 'right' },
  { title: 'BY', cell: ({ entry }) => span(entry.who), cut: 'end', min: 8 },
  { title: 'WHY', cell: ({ entry }) => span(entry.why ?? ''), cut: 'wrap', min: 20 },
];

const progressLine = (migration: Migration, nowMs: number): Line | undefined => {
  const view = lookAt(undefined, migration, nowMs);
  if (view.progress === null || view.ended) return undefined;
  const { text, warning } = progressWords(view);
  return [span(text), span(warning === undefined ? '' : `  ${warning}`, 'yellow')];
};

const readBackLine = ({ verified }: Migration): [string, Line][] =>
  verified === 'cached' ? [['Verified', [span('cached: the page cache could not be passed by', 'yellow')]]] : [];

const digestLines = (migration: Migration): [string, Line | undefined][] => {
  if (migration.digests === null) {
    return migration.state === 'succeeded' ? [['Digests', [span('none: it was not verified', 'yellow')]]] : [];
  }
  const { source, destination } = migration.digests;
  const equal = source !== null && source === destination;
  return [
    ['Digest, source', [span(source ?? 'unknown')]],
    [
      'Digest, destination',
      [span(destination ?? 'unknown'), span(equal ? '  equal' : '  DIFFERENT', equal ? 'green' : 'red')],
    ],
    ...readBackLine(migration),
  ];
};

const reasonLines = (migration: Migration): [string, Line | undefined][] =>
  migration.reason === null
    ? []
    : [
        ['Reason', [span(migration.reason.message, 'red'), span(`  (${migration.reason.code})`, 'dim')]],
        ['What to do', [span(remedyOf(migration, migration.reason))]],
      ];

const moved = (migration: Migration): string => {
  const parts = [
    migration.bytes_read === null ? [] : [`${bytes(migration.bytes_read)} read`],
    migration.bytes_written === null ? [] : [`${bytes(migration.bytes_written)} written`],
  ].flat();
  return parts.join(', ');
};

const endLine = (migration: Migration, nowMs: number): Line | undefined => {
  const ms = tookMs(migration);
  if (migration.ended_at === null || ms === null) return undefined;
  return [span(`${utc(migration.ended_at)} UTC, ${since(migration.ended_at, nowMs)}, after ${duration(ms)}`)];
};

const lockText = (migration: Migration): string => {
  if (migration.locked) return 'yes';
  return migration.ended_at === null ? 'no, an attach ends it' : 'no';
};

const limitLine = ({ bandwidth_bytes_per_second: limited, ended_at: endedAt }: Migration): Line | undefined =>
  limited === null || endedAt !== null ? undefined : [span(limit(limited))];

const priorityLine = ({ priority, ended_at: endedAt }: Migration): Line | undefined =>
  priority === undefined || priority === DEFAULT_PRIORITY || endedAt !== null ? undefined : [span(priority)];

const home = (migration: Migration): Line | undefined => {
  if (migration.ended_at === null) return undefined;
  if (migration.restored_at) return [span(migration.source, 'bold'), span('  it went back there')];
  return migration.state === 'succeeded'
    ? [span(migration.destination, 'bold')]
    : [span(migration.source, 'bold'), span('  safe, as before')];
};

const leftLines = (migration: Migration): [string, Line | undefined][] =>
  migration.cleanup.left.map((left): [string, Line] => [
    'Left over',
    [
      span(`${left.object} on ${left.host}, ${left.tries} tries`),
      span(left.reason === null ? '' : `: ${left.reason}`, 'yellow'),
      span(left.next_try_at ? `; next try at ${utc(left.next_try_at)} UTC` : ''),
    ],
  ]);

export const migrationPage = (migration: Migration, look: TableLook, nowMs: number): string => {
  const cancel = migration.cancel_wished && migration.ended_at === null ? '  cancelling' : '';
  const facts = renderFacts(
    [
      ['Migration', [span(migration.id)]],
      ['State', [migrationState(migration), span(cancel, 'yellow')]],
      ['Progress', progressLine(migration, nowMs)],
      ...reasonLines(migration),
      [
        'Volume',
        [span(migrationLabel(migration), 'bold'), span(migration.volume_name ? `  ${migration.volume_id}` : '', 'dim')],
      ],
      ['Left it at', home(migration)],
      ['Size', [span(bytes(migration.size_bytes))]],
      ['From', [span(migration.source)]],
      ['To', [span(migration.destination)]],
      ['Locked', [span(lockText(migration))]],
      ['Limit', limitLine(migration)],
      ['Priority', priorityLine(migration)],
      ['Copied by', migration.copy_engine === 'dd' ? [span('dd')] : undefined],
      [
        'Asked',
        [
          span(
            `${utc(migration.requested_at)} UTC, ${since(migration.requested_at, nowMs)}, by ${migration.requested_by}`,
          ),
        ],
      ],
      ['Ended', endLine(migration, nowMs)],
      ...digestLines(migration),
      ['Data', [span(moved(migration))]],
      ...keptLines(migration),
      ['Cleanup', [cleanupState(migration)]],
      ...leftLines(migration),
      ['To clean up', migration.cleanup.state === 'needs_you' ? [span(CLEANUP_REMEDY)] : undefined],
      ['Execution', migration.execution === null ? undefined : [span(migration.execution, 'dim')]],
    ],
    look.paint,
  );
  const severalRuns = new Set(migration.story.map((entry) => entry.run)).size > 1;
  const table = renderTable(stepColumns(severalRuns), stepsOf(migration, nowMs), look);
  return `${facts}\n${look.paint('bold', 'Timeline')}\n${table}`;
};
