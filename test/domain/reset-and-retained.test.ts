import { describe, expect, it } from 'vitest';
import { claim } from '../../domain/volume/claim.ts';
import { RESET_MIGRATION_STATUSES, resetStatus } from '../../domain/volume/reset.ts';
import { giveUpRetained, removable } from '../../domain/volume/retained.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import { START_MS } from '../helpers/clock.ts';
import {
  anObject,
  aRetained,
  aVolume,
  DESTINATION,
  MIGRATION_ID,
  OPTIONS,
  SOURCE_OBJECT,
} from '../helpers/factories.ts';
import { refusedBy, written } from '../helpers/refusal.ts';

const nowMs = START_MS + 1_000;
const ask = { migrationId: MIGRATION_ID, run: 1, destination: DESTINATION, options: OPTIONS, settled: null, nowMs };
const claimed = written(claim(ask)(aVolume({ fence: 1, writeEpoch: 1 })));
const connection = { id: 'c', host: 'compute', atMs: nowMs };
const attachment = { id: 'a', instanceId: null, hostName: null, mountpoint: '/', mode: 'rw', atMs: nowMs } as const;

describe('os-reset_status', () => {
  it('ends a claim in the same write as its effect, and never touches the location', () => {
    const next = written(resetStatus({ status: 'error', nowMs })(claimed));

    expect(next).toMatchObject({
      status: 'error',
      claim: null,
      location: SOURCE_OBJECT,
      writeEpoch: 2,
      lastOutcome: { migrationId: MIGRATION_ID, run: 1, result: 'error', reason: { code: 'AbortedByReset' } },
    });
    expect(next.fence).toBeGreaterThan(claimed.fence);
  });

  it('ends a claim also when only the migration status was named', () => {
    const next = written(resetStatus({ migrationStatus: null, nowMs })(claimed));

    expect(next).toMatchObject({ claim: null, migrationStatus: null, status: 'available' });
  });

  it('gives a locked volume its status back when none was named', () => {
    const locked = written(claim({ ...ask, options: { ...OPTIONS, lock: true } })(aVolume()));

    expect(written(resetStatus({ migrationStatus: 'error', nowMs })(locked))).toMatchObject({
      status: 'available',
      migrationStatus: 'error',
      claim: null,
    });
  });

  it('is refused while the backend switches over', () => {
    const switching: Volume = { ...claimed, claim: claimed.claim && { ...claimed.claim, phase: 'switching' } };

    expect(refusedBy(resetStatus({ status: 'error', nowMs })(switching)).code).toBe('SwitchingOver');
  });

  it('is refused where it would contradict what is there', () => {
    const inUse = refusedBy(resetStatus({ status: 'in-use', nowMs })(aVolume()));
    const nowhere = refusedBy(
      resetStatus({ status: 'available', nowMs })(aVolume({ status: 'error', location: null })),
    );

    expect(inUse.message).toContain('has no attachment');
    expect(nowhere.message).toContain('no object behind it');
  });

  it('to detached ends attachments and connections', () => {
    const volume = aVolume({ status: 'in-use', attachments: [attachment], connections: [connection], writeEpoch: 1 });

    const next = written(resetStatus({ attachStatus: 'detached', status: 'available', nowMs })(volume));

    expect(next).toMatchObject({ attachments: [], connections: [], writeEpoch: 2, status: 'available' });
  });

  it('to detached ends connections that have no attachment yet', () => {
    const reserved = aVolume({ status: 'attaching', connections: [connection] });

    const next = written(resetStatus({ attachStatus: 'detached', nowMs })(reserved));

    expect(next.connections).toEqual([]);
  });

  it('that changes nothing writes nothing', () => {
    expect(resetStatus({ status: 'available', nowMs })(aVolume()).kind).toBe('already');
  });

  it('takes the names of the standard', () => {
    expect(RESET_MIGRATION_STATUSES).toEqual(['starting', 'migrating', 'completing', 'success', 'error', 'none']);
  });
});

describe('the removal rule', () => {
  const kept = aRetained({ object: anObject('kept', DESTINATION), expiresAtMs: nowMs });
  const madeBy = { migrationId: MIGRATION_ID, run: 1 };

  it('keeps what the volume lives on, what it keeps, and what the claimed run has made', () => {
    const volume = { ...claimed, retained: [kept] };

    expect(removable(volume, SOURCE_OBJECT.objectName)).toBe(false);
    expect(removable(volume, 'kept')).toBe(false);
    expect(removable(volume, 'made', madeBy)).toBe(false);
  });

  it('lets go of everything else: another run’s object, an object of nobody, and all of a volume that is gone', () => {
    const volume = { ...claimed, retained: [kept] };

    expect(removable(volume, 'made', { ...madeBy, run: 2 })).toBe(true);
    expect(removable(volume, 'other')).toBe(true);
    expect(removable(undefined, SOURCE_OBJECT.objectName)).toBe(true);
    expect(removable(aVolume(), 'made', madeBy)).toBe(true);
  });

  it('takes an object out of what is kept once, and never the one that the volume lives on', () => {
    const volume = aVolume({ retained: [kept] });
    const restored = { ...volume, location: kept.object };

    const next = written(giveUpRetained('kept', nowMs)(volume));

    expect(next.retained).toEqual([]);
    expect(giveUpRetained('kept', nowMs)(next).kind).toBe('already');
    expect(refusedBy(giveUpRetained('kept', nowMs)(restored)).message).toContain('is where volume');
  });

  it('changes neither counter by giving up an object: no byte of the volume moves', () => {
    const next = written(giveUpRetained('kept', nowMs)(aVolume({ retained: [kept], fence: 3, writeEpoch: 3 })));

    expect(next).toMatchObject({ fence: 3, writeEpoch: 3 });
  });
});
