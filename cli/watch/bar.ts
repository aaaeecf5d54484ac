import type { Line } from '../output/line.ts';
import { span } from '../output/line.ts';
import type { Marks } from '../output/paint.ts';
import { queueState } from '../output/queue.ts';
import { bytes, duration, eta, rate } from '../output/units.ts';
import type { MigrationView, ShownProgress } from './monitor.ts';

/** Progress in words and as a bar. The bar is full only at 100 %, which only a success shows. */

/** A report older than this is said to be old: the numbers beside it are. */
const OLD_REPORT_MS = 15_000;

export const bar = (percent: number, width: number, marks: Marks): Line => {
  const filled = percent >= 100 ? width : Math.min(width - 1, Math.floor((percent / 100) * width));
  return [span(marks.barFull.repeat(filled), 'cyan'), span(marks.barEmpty.repeat(width - filled), 'dim')];
};

export const amounts = ({
  doneBytes,
  totalBytes,
  zeroing,
}: Pick<ShownProgress, 'doneBytes' | 'totalBytes' | 'zeroing'>): string =>
  zeroing === null
    ? `${bytes(doneBytes)} of ${bytes(totalBytes)}`
    : `zeroing the rest of the destination, ${bytes(zeroing.doneBytes)} of ${bytes(zeroing.totalBytes)}`;

export const speed = (progress: ShownProgress): string =>
  `${rate(progress.rateBytesPerSecond)}, ETA ${eta(progress.etaSeconds)}`;

const seconds = (count: number): string => (count < 120 ? `${count} s` : duration(count * 1000));

/** Why the numbers stand still, if they do. */
export const standstill = (view: MigrationView): string | undefined => {
  const { progress } = view;
  if (view.ended || progress === null) return undefined;
  if (view.pause === 'paused') return view.pause;
  const queued = queueState(view.migration);
  if (queued !== undefined) return queued;
  if (progress.stalledSeconds !== null) return `no progress for ${seconds(progress.stalledSeconds)}`;
  return progress.reportAgeMs >= OLD_REPORT_MS ? `last report ${duration(progress.reportAgeMs)} ago` : undefined;
};

/** Progress on one line, where no bar is drawn. */
export const progressWords = (view: MigrationView): { text: string; warning: string | undefined } => {
  const { progress } = view;
  const text = progress === null ? '' : `${progress.percent} %, ${amounts(progress)}, ${speed(progress)}`;
  return { text, warning: standstill(view) };
};
