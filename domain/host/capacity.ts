import { already, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { availableBytes, outstandingBytes, type Pool } from './pool.ts';

/** Reservations of a pool: taken by PrepareDestination, given back at the end of the migration, each in one write. */

/** Under which a run's bytes are reserved: a step of an earlier run that wakes up late gives back nothing of a later one. */
export const reservationKey = (migrationId: string, run: number): string =>
  run === 1 ? migrationId : `${migrationId}.${run}`;

export const migrationOfReservation = (key: string): string => key.split('.', 1)[0] ?? key;

export const newPool = (id: string): Pool => ({
  id,
  totalBytes: 0,
  freeBytes: 0,
  reservedBytes: 0,
  reservations: {},
  reportedAtMs: 0,
});

/** As a host saw the pool at `atMs`: what is older than what is known tells nothing new. */
export const reportPool =
  ({ totalBytes, freeBytes, growing }: Pick<Pool, 'totalBytes' | 'freeBytes' | 'growing'>, atMs: number) =>
  (pool: Pool): Decision<Pool> => {
    const { growing: before = {}, ...rest } = pool;
    // of what is not reserved any more nothing is to be known
    const now = Object.entries(growing ?? {}).filter(([key]) => Object.hasOwn(pool.reservations, key));
    const same =
      pool.totalBytes === totalBytes &&
      pool.freeBytes === freeBytes &&
      Object.keys(before).length === now.length &&
      now.every(([key, bytes]) => before[key] === bytes);
    if (atMs < pool.reportedAtMs || same) return already(pool);
    const known = now.length === 0 ? {} : { growing: Object.fromEntries(now) };
    return write({ ...rest, totalBytes, freeBytes, ...known, reportedAtMs: atMs });
  };

export const reserveCapacity =
  (key: string, bytes: number, place: string) =>
  (pool: Pool): Decision<Pool> => {
    if (Object.hasOwn(pool.reservations, key)) return already(pool);
    if (availableBytes(pool) < bytes) {
      return refuse(volmoveError('CapacityShort', { place, needBytes: bytes, freeBytes: availableBytes(pool) }));
    }
    return write({
      ...pool,
      reservedBytes: pool.reservedBytes + bytes,
      reservations: { ...pool.reservations, [key]: bytes },
    });
  };

/**
 * `filledAtMs`: the bytes were written and stay. The last report does not know of all of them, so they count as taken until one
 * comes that is younger: in between nobody is given the same space.
 */
export const giveBackCapacity =
  (key: string, filledAtMs?: number) =>
  (pool: Pool): Decision<Pool> => {
    const bytes = pool.reservations[key];
    if (bytes === undefined) return already(pool);
    const { [key]: _given, ...reservations } = pool.reservations;
    const reservedBytes = pool.reservedBytes - bytes;
    if (filledAtMs === undefined) return write({ ...pool, reservedBytes, reservations });
    const freeBytes = Math.max(0, pool.freeBytes - outstandingBytes(pool, key));
    const reportedAtMs = Math.max(pool.reportedAtMs, filledAtMs);
    return write({ ...pool, freeBytes, reportedAtMs, reservedBytes, reservations });
  };
