import { volmoveError } from '../../../domain/error.ts';

/** Microversions of the Block Storage API v3: what a client asked for decides which keys it is sent. */

export const MIN_MINOR = 0;
export const MAX_MINOR = 71;
export const MIN_VERSION = `3.${MIN_MINOR}`;
export const MAX_VERSION = `3.${MAX_MINOR}`;

/** Minor part; the major part is always 3. */
export type Microversion = number;

const FORM = /^(\d{1,4})\.(\d{1,4})$/;

const asked = (header: string): string | undefined =>
  header
    .split(',')
    .map((entry) => entry.trim().split(/\s+/))
    .find(([service]) => service === 'volume')?.[1];

/** Throws VersionNotSupported (406), or InvalidRequest when it is no version at all. No header means 3.0. */
export const microversionOf = (header: string | undefined): Microversion => {
  const text = header === undefined ? undefined : asked(header);
  if (text === undefined) return MIN_MINOR;
  if (text === 'latest') return MAX_MINOR;
  const match = FORM.exec(text);
  if (!match) {
    throw volmoveError('InvalidRequest', {
      reason: `API Version String ${text.slice(0, 40)} is of invalid format. Must be of format MajorNum.MinorNum.`,
    });
  }
  const minor = Number(match[2]);
  if (match[1] !== '3' || minor > MAX_MINOR) {
    throw volmoveError('VersionNotSupported', { asked: text, min: MIN_VERSION, max: MAX_VERSION });
  }
  return minor;
};
