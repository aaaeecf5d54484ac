import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { claim, finalize, markMigrationStatus, raiseRun, release, takenOverAtMs } from '../../domain/volume/claim.ts';
import { type Claim, VOLUME_STATUSES, type Volume } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  anObject,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  OTHER_MIGRATION_ID,
  SOURCE,
  SOURCE_OBJECT,
} from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 1_000;
const reason = volmoveError('NoSpace', { reason: 'full' }).toFailure();
const ask = {
  migrationId: MIGRATION_ID,
  run: 1,
  destination: DESTINATION,
  options: OPTIONS,
  settled: null,
  nowMs,
} as const;
const proof = { kind: 'digest', digest: 'd', writeEpoch: 3, generation: 1 } as const;
const made = anObject('made', DESTINATION);
const end = { migrationId: MIGRATION_ID, run: 1, nowMs: nowMs + 1 };
const finish = { ...end, destination: made, proof };
const give = { ...end, reason };

const free = aVolume({ fence: 7, writeEpoch: 3 });
const claimed = written(claim(ask)(free));
const lockedClaim = written(claim({ ...ask, options: { ...OPTIONS, lock: true } })(free));
const connection = { id: 'c', host: 'compute', atMs: nowMs };
const attachment = {
  id: 'a',
  instanceId: null,
  hostName: 'compute',
  mountpoint: '/dev/vdb',
  mode: 'rw',
  atMs: nowMs,
} as const;

describe('claim', () => {
  it('gives one run the right to move the volume, and raises the fence that it remembers', () => {
    expect(claimed).toMatchObject({ fence: 8, status: 'available', migrationStatus: 'starting', writeEpoch: 3 });
    expect(claimed.claim).toEqual({
      migrationId: MIGRATION_ID,
      run: 1,
      fence: 8,
      lock: false,
      phase: 'moving',
      destination: DESTINATION,
      options: OPTIONS,
      previousStatus: 'available',
      rollback: null,
      claimedAtMs: nowMs,
    });
  });

  it('with a lock sets maintenance and remembers the status to give back', () => {
    expect(lockedClaim).toMatchObject({ status: 'maintenance', claim: { lock: true, previousStatus: 'available' } });
  });

  it('of the same run agrees with itself', () => {
    expect(claim(ask)(claimed).kind).toBe('already');
  });

  it.each(VOLUME_STATUSES.filter((status) => status !== 'available'))('is refused on a volume that is %s', (status) => {
    const error = refusedBy(claim(ask)({ ...free, status }));

    expect(error).toMatchObject({ code: 'InvalidVolume', httpStatus: 400 });
    expect(error.message).toContain(`it is ${status}`);
  });

  it.each<[string, Partial<Volume>, string]>([
    ['claimed by another migration', { claim: claimOf(OTHER_MIGRATION_ID) }, 'is active'],
    ['connected', { connections: [connection] }, 'terminate the connection first'],
    ['attached', { attachments: [attachment] }, 'detach it first'],
    ['without a location', { location: null }, 'no location'],
    ['there already', { location: { ...SOURCE_OBJECT, ...DESTINATION } }, 'it is there already'],
  ])('is refused on a volume that is %s', (_what, change, why) => {
    const error = refusedBy(claim(ask)({ ...free, ...change }));

    expect(error.code).toBe('InvalidVolume');
    expect(error.message).toContain('must not be migrating');
    expect(error.message).toContain(why);
  });

  it('waits until the last outcome stands in its migration’s item', () => {
    const lastOutcome = { migrationId: OTHER_MIGRATION_ID, run: 2, atMs: 0, result: 'error', reason } as const;
    const volume = { ...free, lastOutcome };

    const unseen = refusedBy(claim(ask)(volume));
    const olderRun = refusedBy(claim({ ...ask, settled: { migrationId: OTHER_MIGRATION_ID, run: 1 } })(volume));
    const seen = claim({ ...ask, settled: { migrationId: OTHER_MIGRATION_ID, run: 2 } })(volume);

    expect(unseen).toMatchObject({ code: 'OutcomeUnsettled', retryable: true });
    expect(olderRun.code).toBe('OutcomeUnsettled');
    expect(seen.kind).toBe('write');
  });
});

describe('finalize', () => {
  it('moves the volume, keeps the old source, ends the claim and raises the fence, in one write', () => {
    const next = written(finalize(finish)(claimed));

    expect(next).toMatchObject({
      location: made,
      placement: DESTINATION,
      claim: null,
      fence: 9,
      writeEpoch: 3,
      status: 'available',
      migrationStatus: 'success',
      lastOutcome: {
        migrationId: MIGRATION_ID,
        run: 1,
        atMs: nowMs + 1,
        result: 'success',
        proof,
        source: SOURCE_OBJECT,
      },
    });
    expect(next.retained).toEqual([
      {
        object: SOURCE_OBJECT,
        kind: 'source',
        migrationId: MIGRATION_ID,
        run: 1,
        expiresAtMs: nowMs + 1,
        writeEpoch: 3,
      },
    ]);
  });

  it('keeps the source for as long as was asked', () => {
    const kept = written(claim({ ...ask, options: { ...OPTIONS, sourceRetentionSeconds: 60 } })(free));

    const next = written(finalize(finish)(kept));

    expect(next.retained[0]?.expiresAtMs).toBe(nowMs + 1 + 60_000);
  });

  it('gives a locked volume its status back, unless somebody has set another meanwhile', () => {
    const back = written(finalize(finish)(lockedClaim));
    const other = written(finalize(finish)({ ...lockedClaim, status: 'error' }));

    expect(back.status).toBe('available');
    expect(other.status).toBe('error');
  });

  it('done again agrees with itself, also when another claim has followed', () => {
    const done = written(finalize(finish)(claimed));
    const followed = written(
      claim({
        ...ask,
        migrationId: OTHER_MIGRATION_ID,
        destination: SOURCE,
        settled: { migrationId: MIGRATION_ID, run: 1 },
      })(done),
    );

    expect(finalize(finish)(done).kind).toBe('already');
    expect(finalize(finish)(followed).kind).toBe('already');
  });

  it.each<[string, Volume]>([
    ['the claim was released', written(release(give)(claimed))],
    ['there was never a claim', free],
    ['another migration holds it', { ...claimed, claim: claimOf(OTHER_MIGRATION_ID) }],
    ['a newer run holds it', written(raiseRun(MIGRATION_ID, 1, reason, nowMs)(claimed))],
    ['the fence has moved', { ...claimed, fence: claimed.fence + 1 }],
    ['the volume has no location', { ...claimed, location: null }],
  ])('is refused when %s', (_why, volume) => {
    expect(refusedBy(finalize(finish)(volume)).code).toBe('ClaimLost');
  });

  it('believes a digest only of the bytes that the volume has now', () => {
    const error = refusedBy(finalize({ ...finish, proof: { ...proof, writeEpoch: 2 } })(claimed));

    expect(error.code).toBe('NoProof');
  });

  it('takes no proof only when none was asked for, and none of another epoch', () => {
    const none = { kind: 'none', writeEpoch: 3 } as const;
    const unverified = written(claim({ ...ask, options: { ...OPTIONS, verify: 'none' } })(free));

    expect(refusedBy(finalize({ ...finish, proof: none })(claimed)).code).toBe('NoProof');
    expect(refusedBy(finalize({ ...finish, proof: { ...none, writeEpoch: 2 } })(unverified)).code).toBe('NoProof');
    expect(finalize({ ...finish, proof: none })(unverified).kind).toBe('write');
  });

  it('takes the backend’s word only while it is switching over', () => {
    const switching: Volume = { ...claimed, claim: { ...claimOf(MIGRATION_ID), phase: 'switching' } };

    expect(refusedBy(finalize({ ...finish, proof: { kind: 'backend' } })(claimed)).code).toBe('NoProof');
    expect(finalize({ ...finish, proof: { kind: 'backend' } })(switching).kind).toBe('write');
  });
});

describe('release', () => {
  it('ends the claim with its reason, leaves the location and raises the fence', () => {
    const next = written(release(give)(claimed));

    expect(next).toMatchObject({
      location: SOURCE_OBJECT,
      claim: null,
      fence: 9,
      writeEpoch: 3,
      migrationStatus: 'error',
      retained: [],
      lastOutcome: { migrationId: MIGRATION_ID, run: 1, result: 'error', reason },
    });
  });

  it('gives a locked volume its status back', () => {
    expect(written(release(give)(lockedClaim)).status).toBe('available');
  });

  it('has nothing to do for a run that holds nothing: finalized, released, superseded, never claimed', () => {
    const others = [
      written(finalize(finish)(claimed)),
      written(release(give)(claimed)),
      written(raiseRun(MIGRATION_ID, 1, reason, nowMs)(claimed)),
      free,
    ];

    expect(others.map((volume) => release(give)(volume).kind)).toEqual(['already', 'already', 'already', 'already']);
  });

  it('is refused while the backend switches over', () => {
    const switching: Volume = { ...claimed, claim: { ...claimOf(MIGRATION_ID), phase: 'switching' } };

    expect(refusedBy(release(give)(switching)).code).toBe('SwitchingOver');
  });

  it('and finalize exclude each other, whichever comes first', () => {
    const released = written(release(give)(claimed));
    const finalized = written(finalize(finish)(claimed));

    expect(finalize(finish)(released).kind).toBe('refuse');
    expect(release(give)(finalized)).toEqual({ kind: 'already', current: finalized });
  });
});

describe('raising the run', () => {
  it('hands the claim to the next run with a new fence and the reason to roll back', () => {
    const next = written(raiseRun(MIGRATION_ID, 1, reason, nowMs + 2)(claimed));

    expect(next).toMatchObject({ fence: 9, claim: { run: 2, fence: 9, rollback: reason, phase: 'moving' } });
  });

  it('is done at once for the first runs, and after ever longer pauses of ten minutes at the most for those after them', () => {
    let volume = claimed;
    const pausesMs = Array.from({ length: 20 }, (_, n) => {
      const held = volume.claim as NonNullable<typeof volume.claim>;
      const pauseMs = takenOverAtMs(held) - (held.raisedAtMs ?? held.claimedAtMs);
      volume = written(raiseRun(MIGRATION_ID, n + 1, reason, nowMs + 1_000 * n)(volume));
      return Math.max(0, pauseMs);
    });

    expect(pausesMs.slice(0, 5)).toEqual([0, 0, 2_000, 4_000, 8_000]);
    expect(pausesMs.at(-1)).toBe(600_000);
  });

  it('agrees when it was done, and is refused when the claim is somebody else’s or gone', () => {
    const raised = written(raiseRun(MIGRATION_ID, 1, reason, nowMs)(claimed));
    const twice = written(raiseRun(MIGRATION_ID, 2, reason, nowMs)(raised));

    expect(raiseRun(MIGRATION_ID, 1, reason, nowMs)(raised).kind).toBe('already');
    expect(refusedBy(raiseRun(MIGRATION_ID, 1, reason, nowMs)(twice)).code).toBe('ClaimLost');
    expect(refusedBy(raiseRun(OTHER_MIGRATION_ID, 1, reason, nowMs)(claimed)).code).toBe('ClaimLost');
    expect(refusedBy(raiseRun(MIGRATION_ID, 1, reason, nowMs)(free)).code).toBe('ClaimLost');
  });
});

describe('the shown migration status', () => {
  it('is set only by the run that holds the claim', () => {
    const shown = written(markMigrationStatus(MIGRATION_ID, 1, 'migrating', nowMs)(claimed));

    expect(shown).toMatchObject({ migrationStatus: 'migrating', fence: claimed.fence, writeEpoch: claimed.writeEpoch });
    expect(markMigrationStatus(MIGRATION_ID, 1, 'migrating', nowMs)(shown).kind).toBe('already');
    expect(refusedBy(markMigrationStatus(MIGRATION_ID, 2, 'migrating', nowMs)(claimed)).code).toBe('ClaimLost');
  });
});

function claimOf(migrationId: string): Claim {
  if (!claimed.claim) throw new Error('the volume has no claim');
  return { ...claimed.claim, migrationId };
}
