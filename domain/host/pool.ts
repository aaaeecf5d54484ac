/**
 * Capacity of one real pool, apart from hosts. While a migration runs its destination's bytes are reserved, so that two
 * cannot count on the same space; what a reservation may use is what the pool reported free.
 */
export interface Pool {
  readonly id: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly reservedBytes: number;
  /** Bytes by migration: a second request of the same migration takes nothing more. */
  readonly reservations: Readonly<Record<string, number>>;
  readonly reportedAtMs: number;
}

export const availableBytes = (pool: Pool): number => Math.max(0, pool.freeBytes - pool.reservedBytes);
