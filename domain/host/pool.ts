/**
 * Capacity of one real pool, apart from hosts. While a migration runs its destination's bytes are reserved, so that two
 * cannot count on the same space; what a reservation may use is what the pool reported free.
 */
export interface Pool {
  readonly id: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly reservedBytes: number;
  /** What is free beside what the reservations may still take; below zero when somebody else filled the pool. */
  readonly leftBytes: number;
  /** Bytes by migration: a second request of the same migration takes nothing more. */
  readonly reservations: Readonly<Record<string, number>>;
  /** What each of them may still take of what was reported free, as far as it was told: the rest is missing there already. */
  readonly growing?: Readonly<Record<string, number>>;
  /** Of the youngest report, or of the end of a migration that filled space since. */
  readonly reportedAtMs: number;
}

/** What a reservation still takes of what is reported free. */
export const outstandingBytes = (
  { reservations, growing = {} }: Pick<Pool, 'reservations' | 'growing'>,
  key: string,
): number => {
  const reserved = reservations[key] ?? 0;
  return Object.hasOwn(growing, key) ? Math.min(reserved, growing[key] ?? reserved) : reserved;
};

/** `leftBytes` as it has to be, counted from its parts. */
export const countLeftBytes = (pool: Omit<Pool, 'leftBytes'>): number =>
  Object.keys(pool.reservations).reduce((left, key) => left - outstandingBytes(pool, key), pool.freeBytes);

export const availableBytes = ({ leftBytes }: Pick<Pool, 'leftBytes'>): number => Math.max(0, leftBytes);
