import type { Amendment } from '../amendment.ts';
import { already, amend, type Decision, refuse, write } from '../decision.ts';
import { volmoveError } from '../error.ts';
import { availableBytes, countLeftBytes, outstandingBytes, type Pool } from './pool.ts';

/**
 * Reservations of a pool: taken by PrepareDestination, given back at the end of the migration, each in one write that leaves the
 * others alone: a thousand migrations to one pool do not wait for each other.
 */

/** Under which a run's bytes are reserved: a step of an earlier run that wakes up late gives back nothing of a later one. */
export const reservationKey = (migrationId: string, run: number): string =>
  run === 1 ? migrationId : `${migrationId}.${run}`;

export const migrationOfReservation = (key: string): string => key.split('.', 1)[0] ?? key;

/** As it was reported for the first time. */
export const newPool = (id: string, totalBytes: number, freeBytes: number, reportedAtMs = 0): Pool => ({
  id,
  totalBytes,
  freeBytes,
  reservedBytes: 0,
  leftBytes: freeBytes,
  reservations: {},
  reportedAtMs,
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
      pool.leftBytes === countLeftBytes(pool) &&
      Object.keys(before).length === now.length &&
      now.every(([key, bytes]) => before[key] === bytes);
    if (atMs < pool.reportedAtMs || same) return already(pool);
    const known = now.length === 0 ? {} : { growing: Object.fromEntries(now) };
    const reported = { ...rest, totalBytes, freeBytes, ...known, reportedAtMs: atMs };
    return write({ ...reported, leftBytes: countLeftBytes(reported) });
  };

/** A pool that was stored before there was such a field gets it with the next write of the whole. */
const amendPool = (pool: Pick<Partial<Pool>, 'leftBytes'>, next: Pool, by: Amendment): Decision<Pool> =>
  pool.leftBytes === undefined ? write({ ...next, leftBytes: countLeftBytes(next) }) : amend(next, by);

export const reserveCapacity =
  (key: string, bytes: number, place: string) =>
  (pool: Pool): Decision<Pool> => {
    if (Object.hasOwn(pool.reservations, key)) return already(pool);
    const freeBytes = availableBytes({ leftBytes: pool.leftBytes ?? countLeftBytes(pool) });
    if (freeBytes < bytes) return refuse(volmoveError('CapacityShort', { place, needBytes: bytes, freeBytes }));
    const next = {
      ...pool,
      reservedBytes: pool.reservedBytes + bytes,
      leftBytes: pool.leftBytes - bytes,
      reservations: { ...pool.reservations, [key]: bytes },
    };
    return amendPool(pool, next, {
      when: [
        { path: ['reservations', key], absent: true },
        // nothing is there in any pool, however full it is
        ...(bytes > 0 ? [{ path: ['leftBytes'], atLeast: bytes }] : []),
      ],
      set: [[['reservations', key], bytes]],
      add: [
        [['reservedBytes'], bytes],
        [['leftBytes'], -bytes],
      ],
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
    const outstanding = outstandingBytes(pool, key);
    const filled = filledAtMs === undefined ? undefined : fill(pool, outstanding, filledAtMs);
    const grows = pool.growing?.[key];
    const next = {
      ...pool,
      ...(grows === undefined ? {} : { growing: without(pool.growing ?? {}, key) }),
      ...filled?.next,
      reservedBytes: pool.reservedBytes - bytes,
      leftBytes: pool.leftBytes + outstanding - (filled?.takenBytes ?? 0),
      reservations: without(pool.reservations, key),
    };
    return amendPool(pool, next, {
      when: [
        { path: ['reservations', key], is: bytes },
        grows === undefined ? { path: ['growing', key], absent: true } : { path: ['growing', key], is: grows },
        ...(filled?.when ?? []),
      ],
      ...(filled?.set ? { set: filled.set } : {}),
      add: [
        [['reservedBytes'], -bytes],
        [['leftBytes'], outstanding - (filled?.takenBytes ?? 0)],
        ...(filled ? [[['freeBytes'], -filled.takenBytes] as const] : []),
      ],
      remove: [['reservations', key], ...(grows === undefined ? [] : [['growing', key]])],
    });
  };

const without = (amounts: Readonly<Record<string, number>>, key: string): Record<string, number> => {
  const { [key]: _given, ...others } = amounts;
  return others;
};

/** What was outstanding is free no more, as far as any is; and no older report may say otherwise. */
const fill = (pool: Pool, outstanding: number, filledAtMs: number) => {
  const takenBytes = Math.min(pool.freeBytes, outstanding);
  const later = filledAtMs > pool.reportedAtMs;
  return {
    takenBytes,
    next: { freeBytes: pool.freeBytes - takenBytes, reportedAtMs: Math.max(pool.reportedAtMs, filledAtMs) },
    when: [
      takenBytes === outstanding
        ? { path: ['freeBytes'], atLeast: outstanding }
        : { path: ['freeBytes'], is: pool.freeBytes },
      later ? { path: ['reportedAtMs'], atMost: filledAtMs } : { path: ['reportedAtMs'], atLeast: filledAtMs },
    ],
    ...(later ? { set: [[['reportedAtMs'], filledAtMs]] as const } : {}),
  };
};
