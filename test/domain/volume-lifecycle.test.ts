import { describe, expect, it } from 'vitest';
import { newCleanup } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { createdObjectName } from '../../domain/names.ts';
import { claim } from '../../domain/volume/claim.ts';
import {
  changeVolumeCleanup,
  isGone,
  newVolume,
  recordCreated,
  recordCreateFailed,
  recordDeleteFailed,
  requestDelete,
} from '../../domain/volume/lifecycle.ts';
import { GIB, VOLUME_STATUSES, type Volume } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  anObject,
  aRetained,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  SOURCE,
  SOURCE_OBJECT,
  VOLUME_ID,
} from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 1_000;
const failure = volmoveError('NoSpace', { reason: 'full' }).toFailure();
const kept = aRetained({ object: anObject('kept', DESTINATION), expiresAtMs: nowMs });
const creating = newVolume({
  id: VOLUME_ID,
  projectId: 'project',
  userId: 'user',
  name: null,
  description: null,
  sizeBytes: GIB,
  metadata: {},
  placement: SOURCE,
  nowMs: START_MS,
});

describe('creating a volume', () => {
  it('makes it available where its object is', () => {
    const next = written(recordCreated(1, SOURCE_OBJECT, nowMs)(creating));

    expect(next).toMatchObject({ status: 'available', location: SOURCE_OBJECT, lastError: null });
    expect(recordCreated(1, SOURCE_OBJECT, nowMs)(next).kind).toBe('already');
  });

  it('that failed puts what may have been made into cleanup, once', () => {
    const next = written(recordCreateFailed(1, failure, nowMs)(creating));

    expect(next).toMatchObject({ status: 'error', lastError: failure, location: null });
    expect(next.cleanup.map((entry) => entry.objectName)).toEqual([createdObjectName(VOLUME_ID, 1)]);
    expect(recordCreateFailed(1, failure, nowMs)(next).kind).toBe('already');
  });

  it('that answers after it was given up is refused: its object is in cleanup', () => {
    const failed = written(recordCreateFailed(1, failure, nowMs)(creating));

    expect(refusedBy(recordCreated(1, SOURCE_OBJECT, nowMs)(failed)).code).toBe('InvalidVolume');
  });

  it('of another operation changes nothing', () => {
    expect(recordCreateFailed(2, failure, nowMs)(creating).kind).toBe('already');
    expect(refusedBy(recordCreated(2, anObject('x'), nowMs)(creating)).code).toBe('InvalidVolume');
  });
});

describe('deleting a volume', () => {
  it('gives up the location and every kept object in one write', () => {
    const next = written(requestDelete(nowMs)(aVolume({ retained: [kept], fence: 1, writeEpoch: 1 })));

    expect(next).toMatchObject({
      status: 'deleting',
      location: null,
      retained: [],
      operation: 2,
      fence: 2,
      writeEpoch: 2,
    });
    expect(next.cleanup.map((entry) => [entry.objectName, entry.role, entry.state])).toEqual([
      [SOURCE_OBJECT.objectName, 'volume', 'todo'],
      ['kept', 'volume', 'todo'],
    ]);
    expect(next.cleanup[0]?.objectId).toBe(SOURCE_OBJECT.objectId);
  });

  it('asked for again agrees with itself', () => {
    expect(requestDelete(nowMs)(aVolume({ status: 'deleting' })).kind).toBe('already');
  });

  it.each(
    VOLUME_STATUSES.filter((s) => !['available', 'error', 'error_deleting', 'error_managing', 'deleting'].includes(s)),
  )('is refused while it is %s', (status) => {
    const error = refusedBy(requestDelete(nowMs)(aVolume({ status })));

    expect(error).toMatchObject({ code: 'CannotDelete', httpStatus: 400 });
    expect(error.remedy).toContain('volmove detach VOLUME');
    expect(error.message).toContain('must not be migrating, attached');
  });

  it('is refused while a migration holds it, also with force', () => {
    const ask = { migrationId: MIGRATION_ID, run: 1, destination: DESTINATION, options: OPTIONS, settled: null, nowMs };
    const claimed = written(claim(ask)(aVolume()));

    expect(refusedBy(requestDelete(nowMs)(claimed)).code).toBe('VolumeClaimed');
    expect(refusedBy(requestDelete(nowMs, true)(claimed)).code).toBe('VolumeClaimed');
  });

  it('is refused while it is attached or connected, whatever its status says', () => {
    const connection = { id: 'c', host: 'compute', atMs: 0 };
    const attachment = { id: 'a', instanceId: null, hostName: null, mountpoint: '/', mode: 'rw', atMs: 0 } as const;

    expect(requestDelete(nowMs)(aVolume({ connections: [connection] })).kind).toBe('refuse');
    expect(requestDelete(nowMs)(aVolume({ attachments: [attachment] })).kind).toBe('refuse');
  });

  it('by force, of a volume that is still being made, leaves nothing of it', () => {
    const next = written(requestDelete(nowMs, true)(creating));

    expect(next.cleanup.map((entry) => entry.objectName)).toEqual([createdObjectName(VOLUME_ID, 1)]);
  });

  it('asked for again after it failed tries what is left at once, and does not repeat what is done', () => {
    const done = { ...newCleanup(SOURCE_OBJECT, 'volume'), state: 'done' as const, tries: 1 };
    const left = { ...newCleanup(kept.object, 'volume'), tries: 4, nextTryAtMs: nowMs + 600_000 };
    const failed = aVolume({ status: 'error_deleting', location: null, operation: 2, cleanup: [done, left] });

    const next = written(requestDelete(nowMs)(failed));

    expect(next).toMatchObject({ status: 'deleting', operation: 3 });
    expect(next.cleanup).toEqual([done, { ...left, nextTryAtMs: 0 }]);
  });

  it('that failed says so, for its own operation only', () => {
    const deleting = written(requestDelete(nowMs)(aVolume()));

    expect(written(recordDeleteFailed(2, failure, nowMs)(deleting))).toMatchObject({
      status: 'error_deleting',
      lastError: failure,
    });
    expect(recordDeleteFailed(1, failure, nowMs)(deleting).kind).toBe('already');
  });

  it('is over when nothing is left of it, and only then', () => {
    const deleting = written(requestDelete(nowMs)(aVolume({ retained: [kept] })));
    const gone = (volume: Volume, name: string): Volume =>
      written(changeVolumeCleanup(name, (entry) => ({ ...entry, state: 'done' }), nowMs)(volume));

    const half = gone(deleting, 'kept');
    const whole = gone(half, SOURCE_OBJECT.objectName);

    expect([deleting, half, whole, aVolume()].map(isGone)).toEqual([false, false, true, false]);
    expect(isGone({ ...whole, status: 'error_deleting' })).toBe(true);
    expect(changeVolumeCleanup('kept', (entry) => entry, nowMs)(whole).kind).toBe('already');
  });
});
