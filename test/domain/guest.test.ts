import { describe, expect, it } from 'vitest';
import type { Decision } from '../../domain/decision.ts';
import { claim } from '../../domain/volume/claim.ts';
import {
  attach,
  beginDetaching,
  connect,
  detach,
  disconnect,
  reserve,
  rollDetaching,
  unreserve,
} from '../../domain/volume/guest.ts';
import { VOLUME_STATUSES, type Volume, type VolumeStatus } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { aVolume, DESTINATION, MIGRATION_ID, OPTIONS } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 1_000;
const connection = { id: 'c', host: 'compute', atMs: nowMs };
const attachment = {
  id: 'a',
  instanceId: null,
  hostName: 'compute',
  mountpoint: '/dev/vdb',
  mode: 'rw',
  atMs: nowMs,
} as const;
const second = { ...attachment, id: 'b' };
const claimedWith = (lock: boolean): Volume =>
  written(
    claim({
      migrationId: MIGRATION_ID,
      run: 1,
      destination: DESTINATION,
      options: { ...OPTIONS, lock },
      settled: null,
      nowMs: START_MS,
    })(aVolume({ fence: 4, writeEpoch: 2 })),
  );

/** Every request that can give a guest a path to the bytes, and the statuses in which it is taken. */
const PATHS: {
  name: string;
  rule: (volume: Volume) => Decision<Volume>;
  from: VolumeStatus[];
  change: Partial<Volume>;
}[] = [
  { name: 'os-reserve', rule: reserve(nowMs), from: ['available'], change: { status: 'attaching' } },
  { name: 'attachment create', rule: reserve(nowMs, 'reserved'), from: ['available'], change: { status: 'reserved' } },
  {
    name: 'os-initialize_connection',
    rule: connect(connection),
    from: ['reserved', 'attaching', 'in-use', 'detaching'],
    change: { connections: [connection] },
  },
  {
    name: 'os-attach',
    rule: attach(attachment),
    from: ['available', 'reserved', 'attaching'],
    change: { status: 'in-use', attachments: [attachment] },
  },
  { name: 'os-begin_detaching', rule: beginDetaching(nowMs), from: ['in-use'], change: { status: 'detaching' } },
];

describe('requests that can give a guest a path', () => {
  const pairs = PATHS.flatMap((path) => VOLUME_STATUSES.map((status) => ({ ...path, status })));

  it.each(pairs)('$name on a volume that is $status', ({ rule, from, change, status }) => {
    const volume = aVolume({ status, fence: 4, writeEpoch: 2 });

    const decision = rule(volume);

    if (from.includes(status)) {
      const expected = { status, ...change, fence: 5, writeEpoch: 3, lastOutcome: null };
      expect(written(decision)).toMatchObject(expected);
    } else {
      expect(refusedBy(decision)).toMatchObject({ httpStatus: 400 });
    }
  });

  it.each(PATHS.filter((path) => path.from.includes('available')))(
    '$name ends an unlocked migration in its own write and waits for nothing',
    ({ rule, change }) => {
      const next = written(rule(claimedWith(false)));

      expect(next).toMatchObject({ ...change, claim: null, writeEpoch: 3, migrationStatus: 'error' });
      expect(next.fence).toBeGreaterThan(5);
      expect(next.lastOutcome).toMatchObject({
        migrationId: MIGRATION_ID,
        run: 1,
        result: 'error',
        reason: { code: 'AbortedByAttach' },
      });
    },
  );

  it.each(PATHS)('$name is refused while a migration has locked the volume, and changes nothing', ({ rule }) => {
    const error = refusedBy(rule(claimedWith(true)));

    expect(error).toMatchObject({ code: 'VolumeLocked', httpStatus: 400 });
    expect(error.remedy).toContain('volmove cancel');
  });

  it('is refused by the claim’s lock, not by the status that it shows', () => {
    const volume = { ...claimedWith(true), status: 'available' } as const;

    expect(refusedBy(reserve(nowMs)(volume)).code).toBe('VolumeLocked');
    expect(refusedBy(attach(attachment)(volume)).code).toBe('VolumeLocked');
  });

  it('is refused with the reason while the backend switches over: nothing ends that claim', () => {
    const held = claimedWith(false);
    const volume: Volume = { ...held, claim: held.claim && { ...held.claim, phase: 'switching' } };

    expect(refusedBy(reserve(nowMs)(volume)).code).toBe('SwitchingOver');
    expect(refusedBy(attach(attachment)(volume)).code).toBe('SwitchingOver');
  });

  it('speaks the standard’s sentences when refused', () => {
    const locked = claimedWith(true);

    expect(refusedBy(reserve(nowMs)(locked)).message).toBe(
      'Invalid volume: Volume status must be available to reserve, but the status is maintenance.',
    );
    expect(refusedBy(attach(attachment)(locked)).message).toBe(
      'Invalid volume: The volume cannot be attached in maintenance mode.',
    );
    expect(refusedBy(detach(null, nowMs)(locked)).message).toBe(
      'Invalid volume: The volume cannot be detached in maintenance mode.',
    );
  });

  it('is refused of a volume that somebody has, with what to do', () => {
    const inUse = aVolume({ status: 'in-use' });

    for (const rule of [reserve(nowMs), attach(attachment)]) {
      const error = refusedBy(rule(inUse));
      expect(error).toMatchObject({ code: 'CannotAttach', httpStatus: 400 });
      expect(error.remedy).toContain('volmove detach VOLUME');
    }
  });

  it('done again with the same id agrees with itself', () => {
    const connected = written(connect(connection)(aVolume({ status: 'attaching' })));
    const attached = written(attach(attachment)(connected));

    expect(connect(connection)(connected).kind).toBe('already');
    expect(attach(attachment)(attached).kind).toBe('already');
  });

  it('gives no connection to a volume without a location', () => {
    expect(refusedBy(connect(connection)(aVolume({ status: 'attaching', location: null }))).code).toBe('InvalidVolume');
  });
});

describe('requests that take a path away', () => {
  it('are refused where nobody has the volume, with what to do', () => {
    for (const rule of [beginDetaching(nowMs), detach(null, nowMs)]) {
      const error = refusedBy(rule(aVolume()));
      expect(error).toMatchObject({ code: 'CannotDetach', httpStatus: 400 });
      expect(error.remedy).toContain('volmove show VOLUME');
    }
  });

  it('os-unreserve ends the connections in the same write and raises the epoch', () => {
    const reserved = aVolume({ status: 'reserved', connections: [connection], writeEpoch: 2 });

    expect(written(unreserve(nowMs)(reserved))).toMatchObject({ status: 'available', connections: [], writeEpoch: 3 });
  });

  it.each(VOLUME_STATUSES.filter((status) => status !== 'attaching' && status !== 'reserved'))(
    'os-unreserve does nothing to a volume that is %s',
    (status) => {
      expect(unreserve(nowMs)(aVolume({ status })).kind).toBe('already');
    },
  );

  it('os-terminate_connection ends one host’s connections, or all, and raises the epoch', () => {
    const other = { ...connection, id: 'd', host: 'other' };
    const volume = aVolume({ status: 'in-use', connections: [connection, other], writeEpoch: 2 });

    expect(written(disconnect('other', nowMs)(volume))).toMatchObject({ connections: [connection], writeEpoch: 3 });
    expect(written(disconnect(null, nowMs)(volume)).connections).toEqual([]);
    expect(disconnect('nobody', nowMs)(volume).kind).toBe('already');
  });

  it('os-detach of the last attachment ends the connections and makes the volume available', () => {
    const volume = aVolume({
      status: 'detaching',
      attachments: [attachment],
      connections: [connection],
      writeEpoch: 2,
    });

    const next = written(detach('a', nowMs)(volume));

    expect(next).toMatchObject({ status: 'available', attachments: [], connections: [], writeEpoch: 3 });
  });

  it('os-detach of one of two leaves the other its connections', () => {
    const volume = aVolume({ status: 'in-use', attachments: [attachment, second], connections: [connection] });

    const next = written(detach('a', nowMs)(volume));

    expect(next).toMatchObject({ status: 'in-use', attachments: [second], connections: [connection] });
  });

  it('os-detach says which of the standard’s reasons it is refused for', () => {
    const none = refusedBy(detach(null, nowMs)(aVolume()));
    const many = refusedBy(detach(null, nowMs)(aVolume({ status: 'in-use', attachments: [attachment, second] })));
    const unknown = refusedBy(detach('x', nowMs)(aVolume({ status: 'in-use', attachments: [attachment] })));

    expect(none.message).toContain('Volume status must be in-use and attach_status must be attached to detach.');
    expect(many.message).toContain('More than one attachment, but no attachment_id provided.');
    expect(unknown.message).toContain('no attachment x');
  });

  it('os-roll_detaching goes back to in-use, and does nothing otherwise', () => {
    expect(written(rollDetaching(nowMs)(aVolume({ status: 'detaching' }))).status).toBe('in-use');
    expect(rollDetaching(nowMs)(aVolume()).kind).toBe('already');
  });

  it('leave a volume that may be claimed again', () => {
    const reserved = written(reserve(nowMs)(aVolume()));
    const connected = written(connect(connection)(reserved));
    const back = written(unreserve(nowMs)(connected));

    const ask = { migrationId: MIGRATION_ID, run: 1, destination: DESTINATION, options: OPTIONS, settled: null, nowMs };
    expect(claim(ask)(connected).kind).toBe('refuse');
    expect(claim(ask)(back).kind).toBe('write');
  });
});
