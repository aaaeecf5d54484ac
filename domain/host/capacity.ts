import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { availableBytes, type Pool } from './pool.ts';

/** Reservations of a pool: taken by PrepareDestination, given back at the end of the migration, each in one write. */

export const newPool = (id: string): Pool => ({
  id,
  totalBytes: 0,
  freeBytes: 0,
  reservedBytes: 0,
  reservations: {},
  reportedAtMs: 0,
});

export const reportPool =
  (report: Pick<Pool, 'totalBytes' | 'freeBytes'>, nowMs: number) =>
  (pool: Pool): Decision<Pool> =>
    pool.totalBytes === report.totalBytes && pool.freeBytes === report.freeBytes
      ? already(pool)
      : write({ ...pool, ...report, reportedAtMs: nowMs });

export const reserveCapacity =
  (migrationId: string, bytes: number, place: string) =>
  (pool: Pool): Decision<Pool> => {
    if (Object.hasOwn(pool.reservations, migrationId)) return already(pool);
    if (availableBytes(pool) < bytes) {
      return refuse(volmoveError('CapacityShort', { place, needBytes: bytes, freeBytes: availableBytes(pool) }));
    }
    return write({
      ...pool,
      reservedBytes: pool.reservedBytes + bytes,
      reservations: { ...pool.reservations, [migrationId]: bytes },
    });
  };

export const giveBackCapacity =
  (migrationId: string) =>
  (pool: Pool): Decision<Pool> => {
    const bytes = pool.reservations[migrationId];
    if (bytes === undefined) return already(pool);
    const { [migrationId]: _given, ...reservations } = pool.reservations;
    return write({ ...pool, reservedBytes: pool.reservedBytes - bytes, reservations });
  };
