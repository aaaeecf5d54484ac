/** Numbers as people read them. */
const MIB = 1024 * 1024;

export const secondsText = (value: number): string => value.toFixed(value < 10 ? 3 : 2);

export const sizeText = (bytes: number): string => {
  const units = ['MiB', 'GiB', 'TiB'];
  let value = bytes / MIB;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number(value.toFixed(1))} ${units[unit]}`;
};
