import { harmless } from '../../domain/harmless.ts';
import { bytes, duration, limit, utcClock } from '../output/units.ts';
import { amounts, speed, standstill } from './bar.ts';
import type { MigrationView, News } from './monitor.ts';
import type { WatchPrinter } from './printer.ts';
import { verdictOf } from './verdict.ts';

/** For logs and pipes: one line a change, progress now and then, no colours and no redrawing. Times are UTC. */

/** Progress that has moved is told this often at the most, progress that has not this often at the least. */
const MOVED_EVERY_MS = 5_000;
const ANYWAY_EVERY_MS = 60_000;

const words = (name: string): string => name.replaceAll('_', ' ');

const progressText = (view: MigrationView): string | undefined => {
  const { progress, migration } = view;
  if (view.ended || progress === null || progress.phase !== migration.phase) return undefined;
  const stop = standstill(view);
  const note = stop === undefined ? speed(progress) : stop;
  return `${words(progress.phase)} ${progress.percent} %, ${amounts(progress)}, ${note}`;
};

const finishedPhase = (view: MigrationView): string => {
  const done = view.phases.filter((row) => row.state === 'done').at(-1);
  return done?.tookMs == null ? '' : ` (${words(done.name)} took ${duration(done.tookMs)})`;
};

const newsText = (news: News, view: MigrationView): string => {
  const { migration, progress } = view;
  switch (news.kind) {
    case 'seen':
      return `${words(migration.phase)}; ${bytes(migration.size_bytes)} from ${migration.source} to ${migration.destination}${migration.locked ? ', locked' : ''}`;
    case 'run':
      return `run ${migration.run} begins`;
    case 'phase':
      return `${words(migration.phase)}${finishedPhase(view)}`;
    case 'attempt':
      return `attempt ${progress?.attempt ?? 1}`;
    case 'stalled':
      return `no progress for ${progress?.stalledSeconds ?? 0} s`;
    case 'moving_again':
      return 'it moves again';
    case 'cancelling':
      return 'cancelling';
    case 'pause':
      return view.pause === undefined ? 'resumed' : `${view.pause}, asked by ${migration.paused?.by ?? 'nobody'}`;
    case 'limit':
      return limit(migration.bandwidth_bytes_per_second);
    case 'ended':
      return migration.cleanup.state === 'pending' ? `${migration.state}, cleaning up` : migration.state;
    case 'cleanup':
      return `cleanup ${words(migration.cleanup.state)}`;
  }
};

export const createPlainPrinter = (write: (text: string) => void): WatchPrinter => {
  const told = new Map<string, { atMs: number; text: string }>();
  let troubleTold: string | null = null;
  let last: readonly MigrationView[] = [];

  const line = (nowMs: number, label: string, text: string): void =>
    write(`${utcClock(nowMs)}  ${harmless(label)}  ${harmless(text)}\n`);

  const tellProgress = (view: MigrationView, nowMs: number): void => {
    const text = progressText(view);
    if (text === undefined) return;
    const before = told.get(view.migration.id);
    const wait = before?.text === text ? ANYWAY_EVERY_MS : MOVED_EVERY_MS;
    if (before !== undefined && nowMs - before.atMs < wait) return;
    told.set(view.migration.id, { atMs: nowMs, text });
    line(nowMs, view.label, text);
  };

  return {
    update: (views, trouble, nowMs) => {
      if (trouble !== null && troubleTold === null) line(nowMs, '-', trouble);
      troubleTold = trouble;
      for (const view of trouble === null ? views : []) {
        for (const item of view.news) line(nowMs, view.label, newsText(item, view));
        tellProgress(view, nowMs);
      }
      last = views;
    },
    close: () => {
      for (const view of last.filter((one) => one.ended)) {
        const { ok, sentences } = verdictOf(view.migration);
        write(`${ok ? 'done' : 'FAILED'}: ${harmless(sentences.join(' '))}\n`);
      }
    },
  };
};
