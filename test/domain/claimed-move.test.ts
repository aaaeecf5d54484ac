import { describe, expect, it } from 'vitest';
import { claim, finalize, release } from '../../domain/volume/claim.ts';
import { dropMove, noteMove, noteUndo, switchOver } from '../../domain/volume/claimed-move.ts';
import { attach, reserve } from '../../domain/volume/guest.ts';
import { resetStatus } from '../../domain/volume/reset.ts';
import type { AttachDuringMove, ClaimedMove, Volume } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import { anObject, aVolume, DESTINATION, MIGRATION_ID, OPTIONS, SOURCE_OBJECT } from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const RUN = { migrationId: MIGRATION_ID, run: 1 };
const LATER_MS = START_MS + 1_000;
const MADE = anObject('volume-made-by-the-backend', DESTINATION);
const BACKEND = { kind: 'backend' } as const;
const REASON = { code: 'Cancelled', message: 'Cancelled by admin.', remedy: 'None.' } as const;
const GUEST = { id: 'a', instanceId: null, hostName: 'h', mountpoint: '/dev/vdb', mode: 'rw', atMs: LATER_MS } as const;

const claimed = (lock = false): Volume =>
  written(
    claim({ ...RUN, destination: DESTINATION, options: { ...OPTIONS, lock }, settled: null, nowMs: START_MS })(
      aVolume(),
    ),
  );
const MOVE: ClaimedMove = {
  hostId: 'host-a',
  source: SOURCE_OBJECT,
  destination: { pool: 'hdd', objectName: MADE.objectName },
  attachDuringMove: 'forbidden',
};
const moving = (attachDuringMove: AttachDuringMove = 'forbidden', lock = false): Volume =>
  written(noteMove(RUN, { ...MOVE, attachDuringMove })(claimed(lock)));
const switching = (): Volume => written(switchOver(RUN, LATER_MS)(moving()));
const finalizing = (volume: Volume) => finalize({ ...RUN, destination: MADE, proof: BACKEND, nowMs: LATER_MS })(volume);
const releasing = (volume: Volume, undone = false) =>
  release({ ...RUN, reason: REASON, undone, nowMs: LATER_MS })(volume);

describe('a move that a backend makes by itself', () => {
  it('is noted once, by the run that holds the claim', () => {
    const volume = moving();

    expect(noteMove(RUN, { ...MOVE, hostId: 'another' })(volume).kind).toBe('already');
    expect(refusedBy(noteMove({ ...RUN, run: 2 }, MOVE)(volume)).code).toBe('ClaimLost');
    expect(volume.fence).toBe(claimed().fence);
  });

  it('keeps the claim from being released until it is undone', () => {
    expect(refusedBy(releasing(moving())).code).toBe('MoveNotUndone');
    expect(written(releasing(moving(), true))).toMatchObject({ claim: null, location: SOURCE_OBJECT });
  });

  it('keeps a reset of the status out, which would let guests at what is not there', () => {
    const error = refusedBy(resetStatus({ migrationStatus: null, nowMs: LATER_MS })(moving()));

    expect(error.code).toBe('MoveNotUndone');
    expect(error.message).toContain('host-a');
  });

  it('needs nothing to be undone where it was dropped before it began', () => {
    expect(written(releasing(written(dropMove(RUN)(moving())))).claim).toBeNull();
    expect(dropMove(RUN)(claimed()).kind).toBe('already');
    expect(refusedBy(dropMove(RUN)(switching())).code).toBe('SwitchingOver');
  });

  it('is not begun by whoever comes late, once it was dropped: the run copies', () => {
    const copying = written(dropMove(RUN)(moving()));

    expect(refusedBy(noteMove(RUN, MOVE)(copying)).code).toBe('ClaimLost');
    expect(copying.fence).toBe(claimed().fence);
  });

  it('does not become a copy beneath a guest that was let in because its writes would have moved along', () => {
    for (const request of [reserve(LATER_MS), attach(GUEST)])
      expect(refusedBy(dropMove(RUN)(written(request(moving('safe'))))).code).toBe('ClaimLost');
  });
});

describe('a guest that comes while its volume is moved by the backend', () => {
  it('is refused with the reason where it would not find its bytes', () => {
    for (const request of [reserve(LATER_MS), attach(GUEST)]) {
      const error = refusedBy(request(moving()));

      expect(error.code).toBe('MovedByBackend');
      expect(error.remedy).toContain('force_host_copy');
    }
  });

  it('is let in where its writes move along: no counter rises, and nothing ends', () => {
    const volume = moving('safe');

    const next = written(attach(GUEST)(volume));

    expect(next).toMatchObject({ status: 'in-use', fence: volume.fence, writeEpoch: volume.writeEpoch });
    expect(next.claim).toEqual(volume.claim);
    expect(written(finalizing(written(switchOver(RUN, LATER_MS)(next)))).location).toEqual(MADE);
  });

  it('is refused by a lock all the same, and while the backend switches over', () => {
    expect(refusedBy(reserve(LATER_MS)(moving('safe', true))).code).toBe('VolumeLocked');
    expect(refusedBy(reserve(LATER_MS)(switching())).code).toBe('SwitchingOver');
  });
});

describe('switching over', () => {
  it('leads to the destination only, by the word of the backend, and leaves no source', () => {
    const volume = switching();

    expect(refusedBy(releasing(volume, true)).code).toBe('SwitchingOver');
    const moved = written(finalizing(volume));
    expect(moved).toMatchObject({ claim: null, location: MADE, retained: [], migrationStatus: 'success' });
    expect(moved.lastOutcome).toMatchObject({ result: 'success', proof: BACKEND, source: SOURCE_OBJECT });
  });

  it('is what the word of the backend is worth something for: before it there is no proof', () => {
    expect(refusedBy(finalizing(moving())).code).toBe('NoProof');
  });

  it('needs a move, the claim, and that nobody was let at the volume since', () => {
    expect(refusedBy(switchOver(RUN, LATER_MS)(claimed())).code).toBe('NoProof');
    expect(refusedBy(switchOver({ ...RUN, run: 2 }, LATER_MS)(moving())).code).toBe('ClaimLost');
    expect(refusedBy(switchOver(RUN, LATER_MS)({ ...moving(), fence: 9 })).code).toBe('ClaimLost');
    expect(switchOver(RUN, LATER_MS)(switching()).kind).toBe('already');
  });

  it('comes too late once the backend goes back, and the way back once it switches over', () => {
    const back = written(noteUndo(RUN, REASON)(moving()));

    expect(refusedBy(switchOver(RUN, LATER_MS)(back)).code).toBe('ClaimLost');
    expect(noteUndo(RUN, REASON)(back).kind).toBe('already');
    expect(refusedBy(noteUndo(RUN, REASON)(switching())).code).toBe('SwitchingOver');
  });
});
