/** Amounts of bytes as people read them; where machines read them they stay exact. */

const IEC = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** Three digits at the most: `0 B`, `3.6 GiB`, `312 MiB`. */
export const bytes = (count: number): string => {
  let value = count;
  let unit = 0;
  while (Math.round(value) >= 1000 && unit < IEC.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${IEC[unit]}`;
};

/** Two amounts that are compared: to the byte where rounding would hide the difference. */
export const bytesApart = (one: number, other: number): [string, string] =>
  one !== other && bytes(one) === bytes(other) ? [`${one} bytes`, `${other} bytes`] : [bytes(one), bytes(other)];
