import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { giveBackCapacity, newPool, reportPool, reserveCapacity } from '../../domain/host/capacity.ts';
import {
  beat,
  findPool,
  isUp,
  lostForMs,
  MISSED_BEATS_STOP,
  MISSED_BEATS_TAKEOVER,
  register,
  stopHost,
} from '../../domain/host/host.ts';
import { availableBytes, countLeftBytes, type Pool } from '../../domain/host/pool.ts';
import { exportName, hostQueueName, parseExportName, runObjectName } from '../../domain/names.ts';
import { formatPlacement, parsePlacement, samePlacement } from '../../domain/placement.ts';
import { amended } from '../../store/amend.ts';
import { START_MS } from '../helpers/clock.ts';
import { aHost, DESTINATION, SOURCE } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

describe('capacity', () => {
  const pool: Pool = newPool('p', 100, 10);

  it('is taken once a migration, and given back whole', () => {
    const taken = written(reserveCapacity('m', 6, 'there')(pool));
    const back = written(giveBackCapacity('m')(taken));

    expect(taken).toMatchObject({ reservedBytes: 6, reservations: { m: 6 } });
    expect(availableBytes(taken)).toBe(4);
    expect(reserveCapacity('m', 9, 'there')(taken).kind).toBe('already');
    expect(back).toEqual(pool);
    expect(giveBackCapacity('m')(back).kind).toBe('already');
  });

  it('is refused beyond what is free and not reserved, with the numbers', () => {
    const taken = written(reserveCapacity('m', 6, 'there')(pool));

    const error = refusedBy(reserveCapacity('n', 5, 'host@files#ssd')(taken));

    expect(error.code).toBe('CapacityShort');
    expect(error.message).toBe('Not enough space in host@files#ssd: 5 B are needed, 4 B are free and not reserved.');
    expect(reserveCapacity('n', 4, 'there')(taken).kind).toBe('write');
  });

  it('is always the sum of its parts, and amending it comes to what the rule says, whatever comes in which order', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.tuple(key, fc.nat(8)).map(([of, bytes]) => reserveCapacity(of, bytes, 'there')),
      fc.tuple(key, fc.option(fc.nat(9), { nil: undefined })).map(([of, atMs]) => giveBackCapacity(of, atMs)),
      fc
        .record({ freeBytes: fc.nat(12), growing: fc.dictionary(key, fc.nat(8)), atMs: fc.nat(9) })
        .map(({ atMs, ...report }) => reportPool({ totalBytes: 100, ...report }, atMs)),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        steps.reduce((now, rule) => {
          const decision = rule(now);
          if (decision.kind !== 'write') return now;
          const { next, by } = decision;
          expect(next.reservedBytes).toBe(Object.values(next.reservations).reduce((a, b) => a + b, 0));
          expect(next.leftBytes).toBe(countLeftBytes(next));
          expect(next.freeBytes).toBeGreaterThanOrEqual(0);
          if (by) expect(amended(now, by)).toEqual(next);
          if (next.reservedBytes > now.reservedBytes) expect(next.leftBytes).toBeGreaterThanOrEqual(0);
          return next;
        }, pool);
      }),
    );
  });

  it('is there for whoever needs none, however full the pool is', () => {
    const taken = written(reserveCapacity('m', 6, 'there')(pool));
    const overfull = written(reportPool({ totalBytes: 100, freeBytes: 2 }, START_MS)(taken));

    const decision = reserveCapacity('n', 0, 'there')(overfull);

    expect(overfull.leftBytes).toBe(-4);
    expect(decision.kind === 'write' && decision.by && amended(overfull, decision.by)).toEqual(written(decision));
  });

  it('of a pool that was stored before it was counted is counted with the next write', () => {
    const { leftBytes: _, ...before } = written(reserveCapacity('m', 6, 'there')(pool));
    const old = before as Pool;

    const reserved = reserveCapacity('n', 3, 'there')(old);
    const back = giveBackCapacity('m')(old);

    expect([written(reserved).leftBytes, written(back).leftBytes]).toEqual([1, 10]);
    expect([reserved, back].map((one) => one.kind === 'write' && one.by)).toEqual([undefined, undefined]);
    expect(written(reportPool({ totalBytes: 100, freeBytes: 10 }, START_MS)(old)).leftBytes).toBe(4);
  });

  it('that was filled counts as taken until a younger report says what is free', () => {
    const taken = written(reserveCapacity('m', 6, 'there')(pool));

    const filled = written(giveBackCapacity('m', START_MS)(taken));

    expect(filled).toMatchObject({ freeBytes: 4, reservedBytes: 0, reservations: {} });
    expect(giveBackCapacity('m', START_MS)(filled).kind).toBe('already');
    expect(reportPool({ totalBytes: 100, freeBytes: 10 }, START_MS - 1)(filled).kind).toBe('already');
    expect(written(reportPool({ totalBytes: 100, freeBytes: 9 }, START_MS)(filled)).freeBytes).toBe(9);
  });

  it('report changes the numbers and no reservation', () => {
    const taken = written(reserveCapacity('m', 6, 'there')(pool));
    const reported = written(reportPool({ totalBytes: 100, freeBytes: 2 }, START_MS)(taken));

    expect(reported).toMatchObject({ freeBytes: 2, reservedBytes: 6, reportedAtMs: START_MS });
    expect(availableBytes(reported)).toBe(0);
    expect(reportPool({ totalBytes: 100, freeBytes: 2 }, START_MS)(reported).kind).toBe('already');
  });
});

describe('a host', () => {
  const host = aHost('host-a');
  const next = aHost('host-a', { incarnation: 'host-a-2', registeredAtMs: START_MS + 1 });
  const twin = { ...next, dataDirId: 'another' };
  const takeoverMs = MISSED_BEATS_TAKEOVER * host.heartbeatMs;

  it('is up until it has missed its heartbeats or was stopped', () => {
    expect(isUp(host, START_MS + takeoverMs - 1)).toBe(true);
    expect(isUp(host, START_MS + takeoverMs)).toBe(false);
    expect(isUp(written(stopHost('host-a-1', START_MS)(host)), START_MS)).toBe(false);
    expect(lostForMs(host, START_MS + 7)).toBe(7);
    expect(lostForMs(host, START_MS - 7)).toBe(0);
  });

  it('restarted in its own data directory is accepted at once', () => {
    expect(written(register(next)(host))).toEqual(next);
    expect(register(next)(next).kind).toBe('already');
  });

  it('with another data directory waits until the old one is gone: an agent stops its own I/O before that', () => {
    const late = { ...twin, registeredAtMs: START_MS + takeoverMs };

    expect(refusedBy(register(twin)(host)).code).toBe('AgentSuperseded');
    expect(written(register(late)(host))).toEqual(late);
    expect(MISSED_BEATS_STOP).toBeLessThan(MISSED_BEATS_TAKEOVER);
  });

  it('is heard only in its newest incarnation', () => {
    const beating = written(beat({ incarnation: 'host-a-1', backends: [], nowMs: START_MS + 5 })(host));

    expect(beating).toMatchObject({ heartbeatAtMs: START_MS + 5, backends: [] });
    expect(refusedBy(beat({ incarnation: 'host-a-1', backends: [], nowMs: START_MS })(next)).code).toBe(
      'AgentSuperseded',
    );
    expect(stopHost('host-a-1', START_MS)(next).kind).toBe('already');
  });

  it('knows its pools by place', () => {
    expect(findPool(host, SOURCE)?.poolId).toBe('pool-of-host-a');
    expect(findPool(host, { ...SOURCE, pool: 'hdd' })).toBeUndefined();
    expect(findPool(host, { ...SOURCE, backend: 'lvm' })).toBeUndefined();
  });
});

describe('names and places', () => {
  it('of a place come back as they were written', () => {
    expect(parsePlacement(formatPlacement(SOURCE))).toEqual(SOURCE);
    expect(parsePlacement('host-a@files')).toEqual({ hostId: 'host-a', backend: 'files' });
    expect(samePlacement(SOURCE, { ...SOURCE })).toBe(true);
    expect(samePlacement(SOURCE, DESTINATION)).toBe(false);
  });

  it.each([
    '',
    'host',
    '@files',
    'host@',
    'host@files#',
    'ho st@files',
    'a/b@files',
    `${'h'.repeat(61)}@files`,
    'h@b#../x',
    'h@b#a#b',
    'h@b\n',
  ])('refuse %j as a place', (text) => {
    expect(parsePlacement(text)).toBeUndefined();
  });

  it('of an export come back as they were written, and only those', () => {
    expect(parseExportName(exportName('m-1', 2, 3))).toEqual({ migrationId: 'm-1', run: 2, attempt: 3 });
    expect(parseExportName('m-1.2')).toBeUndefined();
    expect(parseExportName('m.1.2.3')).toBeUndefined();
    expect(parseExportName('../m.2.3')).toBeUndefined();
  });

  it('of objects differ for every run, and of queues for every host', () => {
    expect(runObjectName('v', 'm', 1)).toBe('volume-v-m-1');
    expect(runObjectName('v', 'm', 2)).not.toBe(runObjectName('v', 'm', 1));
    expect(hostQueueName('host-a')).toBe('volmove-host-host-a');
  });
});
