import type { Migration, MigrationEvent, Progress, StoryEntry, Volume } from '../../cli/api/types.ts';

/** Resources as the API tells them; each test changes only what it is about. */

export const NOW_MS = Date.parse('2026-11-23T02:10:00.000Z');
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

export const volumeId = (n: number): string => `11111111-0000-4000-8000-${String(n).padStart(12, '0')}`;
export const migrationId = (n: number): string => `0197c2a4-${String(n).padStart(4, '0')}-7000-8000-00000000000a`;

export const at = (offsetSeconds: number): string => new Date(NOW_MS + offsetSeconds * 1000).toISOString();

export const aVolume = (changes: Partial<Volume> = {}): Volume => ({
  id: volumeId(1),
  name: 'data1',
  status: 'available',
  size: 8,
  migration_status: null,
  'os-vol-host-attr:host': 'store-a@files#p1',
  attachments: [],
  metadata: {},
  created_at: at(-86_400),
  ...changes,
});

/** A timeline that enters these phases, ten seconds each, the last one ten seconds ago. */
export const storyOf = (phases: readonly string[], run = 1): StoryEntry[] =>
  phases.map((to, index) => ({
    at: at(-10 * (phases.length - index)),
    run,
    who: index === 0 ? 'admin' : 'workflow',
    from: phases[index - 1] ?? 'requested',
    to,
    why: null,
  }));

export const aProgress = (changes: Partial<Progress> = {}): Progress => ({
  phase: 'copying',
  done_bytes: 3.6 * GIB,
  total_bytes: 8 * GIB,
  percent: 45,
  rate_bytes_per_second: 312 * MIB,
  eta_seconds: 14,
  attempt: 1,
  at: at(-1),
  stale: false,
  stalled_since: null,
  activity: 'copying',
  zeroing: null,
  ...changes,
});

export const aMigration = (changes: Partial<Migration> = {}): Migration => ({
  id: migrationId(1),
  volume_id: volumeId(1),
  volume_name: 'data1',
  project_id: 'demo',
  state: 'running',
  phase: 'copying',
  run: 1,
  source: 'store-a@files#p1',
  destination: 'store-b@files#p1',
  locked: false,
  size_bytes: 8 * GIB,
  progress: aProgress(),
  reason: null,
  requested_by: 'admin',
  requested_at: at(-40),
  ended_at: null,
  cancel_wished: false,
  paused: null,
  bandwidth_bytes_per_second: null,
  cleanup: { state: 'none', left: [] },
  verified: null,
  digests: null,
  bytes_read: null,
  bytes_written: null,
  story: storyOf(['validating', 'locking', 'preparing', 'copying']),
  execution: `${migrationId(1)}-1`,
  ...changes,
});

const COPY_STORY = ['validating', 'locking', 'preparing', 'copying', 'verifying', 'finalizing', 'succeeded'];

export const aSuccess = (changes: Partial<Migration> = {}): Migration =>
  aMigration({
    state: 'succeeded',
    phase: 'succeeded',
    progress: aProgress({ phase: 'verifying', done_bytes: 8 * GIB, percent: 99, eta_seconds: 0 }),
    ended_at: at(-14),
    verified: 'direct',
    digests: { source: 'ab'.repeat(32), destination: 'ab'.repeat(32) },
    bytes_read: 3 * GIB,
    bytes_written: 3 * GIB,
    cleanup: { state: 'done', left: [] },
    story: storyOf(COPY_STORY),
    ...changes,
  });

export const aFailure = (changes: Partial<Migration> = {}): Migration =>
  aMigration({
    state: 'failed',
    phase: 'failed',
    ended_at: at(-14),
    reason: {
      code: 'ConnectionLost',
      message: 'The connection between the agents broke: ECONNRESET',
      remedy: 'Check the network between the two hosts and that both agents run.',
    },
    cleanup: { state: 'done', left: [] },
    story: storyOf(['validating', 'locking', 'preparing', 'copying', 'rolling_back', 'failed']),
    ...changes,
  });

export const needsYou: Migration['cleanup'] = {
  state: 'needs_you',
  left: [{ object: 'volume-1', host: 'store-a@files#p1', tries: 3, reason: 'it is open' }],
};

export const anEvent = (
  kind: 'start' | 'progress' | 'end' | 'cleanup',
  sequence: number,
  detail: Record<string, unknown> = {},
): MigrationEvent => ({
  detail_type: `Volume Migration ${{ start: 'Started', progress: 'Progress', end: 'Ended', cleanup: 'Cleanup' }[kind]}`,
  detail: { version: '1', event_type: `volume.migrate.${kind}`, sequence, at: at(0), ...detail },
});
