import { bytes } from '../../domain/bytes.ts';

/** Bytes, durations and times as people read them: IEC units, at most two units of time, UTC. */

export { bytes };

export const rate = (bytesPerSecond: number): string => `${bytes(bytesPerSecond)}/s`;

/** Of a migration's own limit, in bytes a second; null: none. */
export const limit = (bytesPerSecond: number | null): string =>
  bytesPerSecond === null ? 'no limit of its own' : `${rate(bytesPerSecond)} at the most`;

const pad = (value: number): string => String(value).padStart(2, '0');

/** `0.3 s`, `26 s`, `3 min 12 s`, `2 h 05 min`, `3 d 4 h`; a negative one (two clocks) counts as nothing. */
export const duration = (ms: number): string => {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
};

/** Whole seconds and no decimals: an estimate that shows tenths pretends to know more than it does. */
export const eta = (seconds: number | null): string =>
  seconds === null ? 'unknown' : seconds < 10 ? `${Math.ceil(seconds)} s` : duration(seconds * 1000);

/** One unit is enough to know how old something is. */
export const ago = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
};

/** `2026-11-23 14:03:22` of an ISO time in UTC; a text that is no time comes back as it is. */
export const utc = (iso: string): string => {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? iso : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
};

export const utcClock = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

/** The start of a digest: enough to compare by eye. */
export const shortDigest = (hex: string): string => hex.slice(0, 12);
