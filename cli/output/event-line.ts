import type { MigrationEvent } from '../api/types.ts';
import { type Line, span } from './line.ts';
import type { Tone } from './paint.ts';
import { bytes, duration, eta, rate, shortDigest, utc } from './units.ts';

/** One event as one line: when, what, and the numbers that matter for its kind. */

type Detail = MigrationEvent['detail'];

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;

const text = (from: unknown, name: string): string => {
  const value = member(from, name);
  return typeof value === 'string' ? value : '';
};

const count = (detail: Detail, name: string): number => {
  const value = detail[name];
  return typeof value === 'number' ? value : 0;
};

const progress = (detail: Detail): string => {
  const left = detail.eta_seconds;
  const [phase, activity] = [text(detail, 'phase'), text(detail, 'activity')];
  const doing = activity === '' || activity === phase ? phase : `${phase}, ${activity}`;
  return `${doing} ${count(detail, 'percent')} %, ${bytes(count(detail, 'done_bytes'))} of ${bytes(
    count(detail, 'total_bytes'),
  )}, ${rate(count(detail, 'rate_bytes_per_second'))}, ETA ${eta(typeof left === 'number' ? left : null)}`;
};

const ended = (detail: Detail): string => {
  const after = `after ${duration(count(detail, 'duration_ms'))}`;
  if (detail.result !== 'success') {
    return `failed ${after}, safe at ${text(detail, 'host')}: ${text(detail.reason, 'message') || 'reason unknown'}`;
  }
  const digest = text(detail, 'digest');
  return `success ${after}, lives at ${text(detail, 'host')}${digest === '' ? '' : `, digest ${shortDigest(digest)}`}`;
};

const cleanup = (detail: Detail): string => {
  const left = Array.isArray(detail.left) ? (detail.left as unknown[]) : [];
  const objects = left.map((one) => `${text(one, 'object')} on ${text(one, 'host')}`);
  return detail.result === 'needs_you' ? `needs you: ${objects.join(', ')}` : 'done, nothing is left over';
};

const describe = (event: MigrationEvent): { text: string; tone?: Tone } => {
  const { detail } = event;
  switch (detail.event_type) {
    case 'volume.migrate.start':
      return {
        text: `${bytes(count(detail, 'size_bytes'))} from ${text(detail, 'source_host')} to ${text(detail, 'destination_host')}${
          detail.locked === true ? ', locked' : ''
        }, asked by ${text(detail, 'requested_by')}`,
      };
    case 'volume.migrate.progress':
      return { text: progress(detail) };
    case 'volume.migrate.stalled':
      return { text: `nothing moves: ${progress(detail)}`, tone: 'yellow' };
    case 'volume.migrate.end':
      return { text: ended(detail), tone: detail.result === 'success' ? 'green' : 'red' };
    case 'volume.migrate.cleanup':
      return { text: cleanup(detail), tone: detail.result === 'needs_you' ? 'red' : 'dim' };
    default:
      return { text: JSON.stringify(detail) };
  }
};

/** `label` names the volume where events of several migrations mix. */
export const eventLine = (event: MigrationEvent, label?: string): Line => {
  const { text: words, tone } = describe(event);
  const kind = event.detail_type.replace(/^Volume Migration /u, '');
  return [
    span(`${utc(event.detail.at)}  `, 'dim'),
    span(label === undefined ? '' : `${label}  `, 'bold'),
    span(`${kind.padEnd(8)}  `),
    span(words, tone),
  ];
};
