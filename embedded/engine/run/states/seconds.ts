// Seconds that an expression gave.
import type { Json } from '../../json.ts';

const MOST_SECONDS = 99_999_999;

/** The value when it is a whole number from `least` to 99,999,999; else undefined. */
export function wholeSeconds(value: Json, least: number): number | undefined {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MOST_SECONDS;
  return fits ? value : undefined;
}
