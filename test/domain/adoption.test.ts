import { describe, expect, it } from 'vitest';
import { newCleanup, removalJobId } from '../../domain/cleanup.ts';
import { volmoveError } from '../../domain/error.ts';
import { createdObjectName, isForeignName } from '../../domain/names.ts';
import {
  type Adoption,
  cannotUnmanage,
  newAdoptedVolume,
  recordAdopted,
  recordAdoptFailed,
  takeOverAdoption,
} from '../../domain/volume/adoption.ts';
import { claim } from '../../domain/volume/claim.ts';
import { requestDelete } from '../../domain/volume/lifecycle.ts';
import { sizeGib, type Volume } from '../../domain/volume/volume.ts';
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
const OUTSIDE = anObject('disk1', SOURCE, 5 * 1024 ** 2 + 512);
const failure = volmoveError('ObjectMissing', { object: 'disk1', place: 'host-a@files#ssd' }).toFailure();
const managing = newAdoptedVolume({
  id: VOLUME_ID,
  projectId: 'project',
  userId: 'user',
  name: null,
  description: null,
  metadata: {},
  placement: SOURCE,
  adopted: { poolId: 'pool', reference: { objectName: 'disk1' } },
  nowMs: START_MS,
});
const adopted = (): Volume => written(recordAdopted(1, OUTSIDE, nowMs)(managing));

describe('taking over a volume', () => {
  it('keeps the object’s own name and exact size, and voids what was known of its bytes', () => {
    const next = adopted();

    expect(next).toMatchObject({
      status: 'available',
      location: { ...OUTSIDE, adoptedBy: VOLUME_ID },
      sizeBytes: OUTSIDE.sizeBytes,
      writeEpoch: managing.writeEpoch + 1,
    });
    expect(sizeGib(next)).toBe(1);
    expect(recordAdopted(1, OUTSIDE, nowMs)(next).kind).toBe('already');
  });

  it.each([
    ['another operation', 2, managing],
    ['a volume that was given up meanwhile', 1, { ...managing, status: 'deleting' } as Volume],
  ])('is not recorded for %s', (_what, operation, volume) => {
    expect(refusedBy(recordAdopted(operation, OUTSIDE, nowMs)(volume)).code).toBe('InvalidVolume');
  });

  it('that failed says why and leaves nothing to remove, also when it is deleted then', () => {
    const failed = written(recordAdoptFailed(1, failure, nowMs)(managing));
    const deleted = written(requestDelete(nowMs)(failed));

    expect(failed).toMatchObject({ status: 'error_managing', lastError: failure, location: null, cleanup: [] });
    expect(deleted).toMatchObject({ status: 'deleting', cleanup: [] });
    expect(recordAdoptFailed(1, failure, nowMs)(adopted()).kind).toBe('already');
  });

  it('is given to one volume; what another does not refer to any more is taken over', () => {
    const stands: Adoption = { poolId: 'pool', objectName: 'disk1', volumeId: 'first', atMs: START_MS };
    const mine: Adoption = { ...stands, volumeId: 'second' };

    expect(refusedBy(takeOverAdoption(mine, 'zeroth')(stands)).code).toBe('AlreadyManaged');
    expect(written(takeOverAdoption(mine, 'first')(stands))).toEqual(mine);
    expect(takeOverAdoption(mine, 'first')(mine).kind).toBe('already');
  });

  it('makes the jobs that remove the object this volume’s own: its name may be another’s, too', () => {
    const entries = ['one', 'two'].map((adoptedBy) => newCleanup({ ...OUTSIDE, adoptedBy }, 'source'));
    const ours = newCleanup(SOURCE_OBJECT, 'source');

    expect(entries.map((entry) => removalJobId(entry, 1))).toEqual(['one.disk1.1', 'two.disk1.1']);
    expect(removalJobId(ours, 1)).toBe(`${SOURCE_OBJECT.objectName}.1`);
  });
});

describe('names of what others have made', () => {
  it.each(['disk1', 'a b.raw', 'ünïcode', '.hidden', 'volume-1', 'x'.repeat(255)])('may be %j', (name) => {
    expect(isForeignName(name)).toBe(true);
  });

  it.each(['', '.', '..', '../disk1', 'a/b', 'a\nb', 'a\u202eb', 'x'.repeat(256), createdObjectName(VOLUME_ID, 1)])(
    'are never %j',
    (name) => {
      expect(isForeignName(name)).toBe(false);
    },
  );
});

describe('giving up a volume', () => {
  const attachment = { id: 'a', instanceId: 'i', hostName: null, mountpoint: '/dev/vda', mode: 'rw', atMs: 0 } as const;
  const command = {
    migrationId: MIGRATION_ID,
    run: 1,
    destination: DESTINATION,
    options: OPTIONS,
    settled: null,
    nowMs,
  };

  it.each([
    ['available', adopted()],
    ['one that could not be taken over', { ...managing, status: 'error_managing' } as Volume],
    ['one that volmove has made', aVolume()],
  ])('may be done with %s', (_what, volume) => {
    expect(cannotUnmanage(volume, null)).toBeUndefined();
  });

  it.each([
    ['claimed', 'VolumeClaimed', written(claim(command)(aVolume())), MIGRATION_ID],
    ['attached', 'CannotUnmanage', aVolume({ attachments: [attachment] }), 'it is attached'],
    ['connected', 'CannotUnmanage', aVolume({ connections: [{ id: 'c', host: 'h', atMs: 0 }] }), 'a connection to it'],
    ['kept elsewhere, too', 'CannotUnmanage', aVolume({ retained: [aRetained()] }), 'is kept for it'],
    ['being cleaned up', 'CannotUnmanage', aVolume({ cleanup: [newCleanup(OUTSIDE, 'volume')] }), 'to be removed'],
    ['being taken over', 'CannotUnmanage', managing, 'it is managing'],
    ['reserved', 'CannotUnmanage', aVolume({ status: 'attaching' }), 'it is attaching'],
  ])('is refused while it is %s', (_what, code, volume, why) => {
    const error = cannotUnmanage(volume, null);

    expect(error).toMatchObject({ code, httpStatus: 400 });
    expect(error?.message).toContain(why);
  });

  it('waits for the record of its last migration’s outcome', () => {
    const lastOutcome = { migrationId: MIGRATION_ID, run: 1, atMs: 0, result: 'error', reason: failure } as const;
    const volume = aVolume({ lastOutcome });

    expect(cannotUnmanage(volume, null)?.code).toBe('OutcomeUnsettled');
    expect(cannotUnmanage(volume, lastOutcome)).toBeUndefined();
  });
});
