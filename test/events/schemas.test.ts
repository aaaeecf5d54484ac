import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../domain/decision.ts';
import {
  cleanupEvent,
  endedEvent,
  progressEvent,
  replayEvents,
  startedEvent,
  type VolmoveEvent,
} from '../../domain/event.ts';
import type { Job } from '../../domain/job/job.ts';
import { newJob, reportProgress, takeJob } from '../../domain/job/steps.ts';
import { endMigration, settleEnd } from '../../domain/migration/end.ts';
import { enterPhase, newMigration } from '../../domain/migration/run.ts';
import { EVENT_SCHEMAS, schemaFile, schemaText } from '../../scripts/event-schemas.ts';

const place = { hostId: 'alpha', backend: 'files', pool: 'main' };
const object = { ...place, objectName: 'volume-v', objectId: 'inode-1', sizeBytes: 2 ** 30 };
const ids = { volume: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', migration: '0f9619ff-8b86-4d01-b42d-00cf4fc964ff' };
const done = <T>(decision: Decision<T>): T => {
  if (decision.kind !== 'write') throw new Error(`expected a write, got ${decision.kind}`);
  return decision.next;
};

const started = () =>
  done(
    enterPhase({ run: 1, phase: 'validating', who: 'execution', nowMs: 2_000 })(
      newMigration({
        id: ids.migration,
        volume: { id: ids.volume, projectId: 'demo', name: 'web', sizeBytes: 2 ** 30 },
        source: object,
        destination: { ...place, hostId: 'beta' },
        options: { lock: false, forceHostCopy: false, verify: 'full', sourceRetentionSeconds: 0 },
        requestedBy: 'admin',
        requestHash: null,
        nowMs: 1_000,
      }),
    ),
  );

const copying = (): Job => {
  const input = {
    source: object,
    sizeBytes: 2 ** 30,
    peer: { address: '127.0.0.1:1', fingerprint: 'aa' },
    destinationIsZero: true,
    writeEpoch: 0,
    progressIntervalSeconds: null,
    digest: true,
  };
  const queued = newJob({
    hostId: 'alpha',
    id: 'j',
    volumeId: ids.volume,
    projectId: 'demo',
    migrationId: ids.migration,
    run: 1,
    spec: { kind: 'data.copy', input },
    nowMs: 3_000,
  });
  return done(takeJob('i1', 0, 4_000)(queued));
};

const report = (job: Job, doneBytes: number, n: number): Job =>
  done(
    reportProgress(
      { attempt: 1, incarnation: 'i1' },
      { doneBytes, totalBytes: 2 ** 30, rateBytesPerSecond: 1e8, attempt: 1, n, atMs: 4_000 + n },
      null,
    )(job),
  );

const every = (): VolmoveEvent[] => {
  const migration = started();
  const job = report(copying(), 2 ** 29, 1);
  const progress = job.progress;
  if (!progress) throw new Error('no progress');
  const outcome = {
    migrationId: ids.migration,
    run: 1,
    atMs: 9_000,
    result: 'success',
    proof: { kind: 'digest', digest: 'ab', writeEpoch: 0, generation: 1 },
    source: object,
  } as const;
  const ended = done(endMigration({ outcome, report: null, who: 'execution', nowMs: 9_000 })(migration));
  return [
    startedEvent(migration),
    progressEvent(job, progress),
    progressEvent(job, progress, true),
    endedEvent(ended),
    cleanupEvent(ended, 'done', 9_500),
  ].filter((event) => event !== undefined);
};

describe('event schemas', () => {
  it.each(Object.keys(EVENT_SCHEMAS) as (keyof typeof EVENT_SCHEMAS)[])(
    'the published schema of %s is the one that the code holds',
    (type) => {
      const published = readFileSync(new URL(`../../docs/events/${schemaFile(type)}`, import.meta.url), 'utf8');

      expect(published).toBe(schemaText(type));
    },
  );

  it('every event that is sent matches its schema, and every schema has an event', () => {
    const events = every();

    for (const { detailType, detail } of events)
      expect(EVENT_SCHEMAS[detailType].safeParse(detail).error).toBeUndefined();
    expect(new Set(events.map((e) => e.detailType))).toEqual(new Set(Object.keys(EVENT_SCHEMAS)));
  });

  it('an unfinished copy never says 100 percent, however many bytes are settled', () => {
    const job = report(copying(), 2 ** 30, 1);

    const event = job.progress && progressEvent(job, job.progress);

    expect(event?.detail).toMatchObject({ percent: 99 });
  });
});

describe('event sequence', () => {
  it('orders start, progress and end of a run, and replays what comes after a number', () => {
    const migration = started();
    const job = report(report(copying(), 2 ** 28, 1), 2 ** 29, 2);
    const outcome = {
      migrationId: ids.migration,
      run: 1,
      atMs: 9_000,
      result: 'error',
      reason: { code: 'IoError', message: 'm', remedy: 'r' },
    } as const;
    const ended = done(
      settleEnd(9_100)(done(endMigration({ outcome, report: null, who: 'execution', nowMs: 9_000 })(migration))),
    );

    const all = replayEvents(ended, [job], 0);
    const later = replayEvents(ended, [job], all[1]?.detail.sequence ?? 0);

    expect(all.map((e) => e.detail.event_type)).toEqual([
      'volume.migrate.start',
      'volume.migrate.progress',
      'volume.migrate.progress',
      'volume.migrate.end',
    ]);
    expect(later).toEqual(all.slice(2));
  });
});
