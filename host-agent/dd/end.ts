import { type VolmoveError, volmoveError } from '../../domain/error.ts';
import type { ChildEnd } from '../children/child.ts';

/** What a dd that has ended tells: in the words of its stderr, which is in English (child.ts sets LC_ALL). */

const FULL = /No space left on device|Disk quota exceeded/;

/** dd's own lines: the others are statistics. */
const complaints = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => line !== '' && !/^\d+(\+\d+)? (records|bytes?)\b/.test(line))
    .join('; ');

const copiedBytes = (stderr: string): number => Number(/^(\d+) bytes?\b/m.exec(stderr)?.[1] ?? 0);

/** Undefined when it has copied every byte. A source that ends early is no error to dd, therefore its own count is read. */
export const failureOf = ({ exitCode, signal, stderr }: ChildEnd, sizeBytes: number): VolmoveError | undefined => {
  if (signal !== null) return volmoveError('IoError', { reason: `dd was ended from outside, by ${signal}` });
  if (exitCode !== 0) {
    const reason = complaints(stderr) || `dd ended with code ${exitCode} and said nothing`;
    return volmoveError(FULL.test(stderr) ? 'NoSpace' : 'IoError', { reason });
  }
  const copied = copiedBytes(stderr);
  if (copied === sizeBytes) return undefined;
  return volmoveError('DeviceShrank', { reason: `dd copied ${copied} bytes of ${sizeBytes}: the source ended early` });
};
