import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportName } from '../../domain/names.ts';
import { createExports, type ExportDeps, type Exports } from '../../host-agent/exports.ts';
import { openGenerationJournal } from '../../host-agent/journal/generations.ts';
import { memoryDevice } from '../data-path/helpers/memory-device.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { deferred } from '../data-path/helpers/until.ts';
import { anObject, DESTINATION, MIGRATION_ID } from '../helpers/factories.ts';

const PEER = 'fingerprint-of-host-a';
const OBJECT = anObject('volume-v-m-1', DESTINATION, 4096);
const ADMISSION = { migrationId: MIGRATION_ID, run: 1, object: OBJECT, admitFingerprint: PEER };
const nameOf = (attempt: number, run = 1): string => exportName(MIGRATION_ID, run, attempt);

interface Rig {
  readonly exports: Exports;
  /** What happened, in order. */
  readonly happened: string[];
  reopened(): Promise<Rig>;
}

const rigIn = async (directory: string, change: Partial<ExportDeps> = {}): Promise<Rig> => {
  const happened: string[] = [];
  let opens = 0;
  const exports = createExports({
    journal: await openGenerationJournal(directory),
    open: async () => {
      const nth = ++opens;
      happened.push(`open ${nth}`);
      return {
        ...memoryDevice(4096),
        flush: async () => {
          happened.push(`flush ${nth}`);
        },
        close: async () => {
          happened.push(`close ${nth}`);
        },
      };
    },
    endExport: async (name) => {
      happened.push(`end ${name.split('.').at(-1)}`);
    },
    ...change,
  });
  return { exports, happened, reopened: () => rigIn(directory, change) };
};

const rig = async (change: Partial<ExportDeps> = {}): Promise<Rig> => {
  const made = await rigIn(await tempDir(), change);
  await made.exports.admit(ADMISSION);
  return made;
};

const refusedWith = async (
  exports: Exports,
  name: string,
  peer: string | undefined = PEER,
): Promise<string | undefined> => {
  const resolved = await exports.resolve(name, peer);
  return 'refused' in resolved ? resolved.refused : undefined;
};

describe('the exports of a host', () => {
  it('let the admitted certificate in, and nobody else', async () => {
    const { exports, happened } = await rig();

    expect(await refusedWith(exports, nameOf(1), 'somebody else')).toContain('certificate');
    expect(await exports.resolve(nameOf(1), undefined)).toHaveProperty('refused');
    expect(happened).toEqual([]);
    expect(await refusedWith(exports, nameOf(1))).toBeUndefined();
  });

  it('know no other run, and no name that is none', async () => {
    const { exports } = await rig();

    for (const name of [nameOf(1, 2), 'x', '', `${nameOf(1)}.1`, `${MIGRATION_ID}.1.-1`, '../../etc.1.1'])
      expect(await refusedWith(exports, name)).toContain('no such export');
  });

  it('let a higher generation in only when the lower one has ended, was flushed and closed', async () => {
    const { exports, happened } = await rig();
    await exports.resolve(nameOf(1), PEER);

    await exports.resolve(nameOf(2), PEER);

    expect(happened).toEqual(['open 1', 'end 1', 'flush 1', 'close 1', 'open 2']);
  });

  it('wait with a higher generation for as long as the I/O of the lower one takes', async () => {
    const gate = deferred();
    const { exports } = await rig({ endExport: () => gate.promise });
    await exports.resolve(nameOf(1), PEER);
    let entered = false;
    const entering = exports.resolve(nameOf(2), PEER).then(() => {
      entered = true;
    });

    await new Promise((resolve) => setImmediate(resolve));
    const before = entered;
    gate.resolve();
    await entering;

    expect([before, entered]).toEqual([false, true]);
  });

  it('of other objects are decided on meanwhile: a storage that hangs holds up nobody else', async () => {
    const gate = deferred();
    const { exports } = await rig({
      endExport: (name) => (name === nameOf(1) ? gate.promise : Promise.resolve()),
    });
    await exports.resolve(nameOf(1), PEER);
    await exports.admit({ ...ADMISSION, run: 2, object: anObject('another', DESTINATION, 4096) });
    let sealed = false;
    const sealing = exports.seal(MIGRATION_ID, 1).then(() => {
      sealed = true;
    });

    const admitted = await exports.resolve(nameOf(1, 2), PEER);
    const other = await exports.seal(MIGRATION_ID, 2);
    const before = sealed;
    gate.resolve();
    await sealing;

    expect(admitted).toMatchObject({ readOnly: false });
    expect(other).toMatchObject({ generation: 1 });
    expect([before, sealed]).toEqual([false, true]);
  });

  it('refuse a lower generation for ever, also after a restart', async () => {
    const first = await rig();
    await first.exports.resolve(nameOf(3), PEER);

    const second = await first.reopened();

    expect(await refusedWith(first.exports, nameOf(2))).toContain('generation 2 was replaced by 3');
    expect(await refusedWith(second.exports, nameOf(2))).toContain('generation 2 was replaced by 3');
    expect(await refusedWith(second.exports, nameOf(3))).toBeUndefined();
  });

  it('never let in a generation 0, which no attempt has and no seal would end', async () => {
    const { exports } = await rig();

    expect(await refusedWith(exports, nameOf(0))).toBeTypeOf('string');
  });

  it('give two connections of one generation the same device', async () => {
    const { exports, happened } = await rig();

    const [a, b] = await Promise.all([exports.resolve(nameOf(1), PEER), exports.resolve(nameOf(1), PEER)]);

    expect(happened).toEqual(['open 1']);
    expect('device' in a && 'device' in b && a.device === b.device).toBe(true);
  });

  it('end with exactly the highest generation open, whatever asks at the same time', async () => {
    const orders = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(orders, async (attempts) => {
        const { exports, happened } = await rig();

        const resolved = await Promise.all(attempts.map((attempt) => exports.resolve(nameOf(attempt), PEER)));

        let highest = 0;
        for (const [i, attempt] of attempts.entries()) {
          highest = Math.max(highest, attempt);
          expect('refused' in (resolved[i] as object)).toBe(attempt < highest);
        }
        const open =
          happened.filter((h) => h.startsWith('open')).length - happened.filter((h) => h.startsWith('close')).length;
        expect(open).toBe(1);
        expect(await refusedWith(exports, nameOf(highest))).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });

  it('keep the first admission of a run: a repeat changes neither object nor generation', async () => {
    const { exports } = await rig();
    await exports.resolve(nameOf(2), PEER);

    await exports.admit({ ...ADMISSION, admitFingerprint: 'another' });

    expect(await refusedWith(exports, nameOf(2))).toBeUndefined();
    expect(await exports.seal(MIGRATION_ID, 1)).toEqual({ generation: 2, object: OBJECT });
  });

  it('when they are closed, flush and close what is open, and may be opened again after a restart', async () => {
    const first = await rig();
    await first.exports.resolve(nameOf(1), PEER);

    await first.exports.close();
    const second = await first.reopened();

    expect(first.happened).toEqual(['open 1', 'end 1', 'flush 1', 'close 1']);
    expect(await refusedWith(second.exports, nameOf(1))).toBeUndefined();
  });
});

describe('a seal', () => {
  it('ends, flushes and closes the generation, tells which it was, and lets nobody in any more', async () => {
    const { exports, happened } = await rig();
    await exports.resolve(nameOf(2), PEER);

    const sealed = await exports.seal(MIGRATION_ID, 1);

    expect(sealed).toEqual({ generation: 2, object: OBJECT });
    expect(happened).toEqual(['open 1', 'end 2', 'flush 1', 'close 1']);
    for (const attempt of [1, 2, 3, 99])
      expect(await refusedWith(exports, nameOf(attempt))).toBe('the export is sealed');
  });

  it('holds after a restart, and an admission of the same run does not break it', async () => {
    const first = await rig();
    await first.exports.seal(MIGRATION_ID, 1);

    const second = await first.reopened();
    await second.exports.admit(ADMISSION);

    expect(await refusedWith(second.exports, nameOf(7))).toBe('the export is sealed');
  });

  it('is on disk before the I/O is ended: a crash in between leaves it closed', async () => {
    const gate = deferred();
    const first = await rig({ endExport: () => gate.promise });
    await first.exports.resolve(nameOf(1), PEER);

    const sealing = first.exports.seal(MIGRATION_ID, 1);
    let reason: string | undefined;
    for (let i = 0; i < 1_000 && reason === undefined; i++)
      reason = await refusedWith((await first.reopened()).exports, nameOf(1));
    gate.resolve();
    await sealing;

    expect(reason).toBe('the export is sealed');
  });

  it('of a run that this host knows nothing of says so', async () => {
    const { exports } = await rig();

    expect(await exports.seal(MIGRATION_ID, 2)).toBeUndefined();
  });

  it('of an object closes every run that writes to it', async () => {
    const { exports } = await rig();
    await exports.admit({ ...ADMISSION, run: 2 });
    await exports.admit({ ...ADMISSION, run: 3, object: anObject('another', DESTINATION) });

    await exports.sealObject(OBJECT.objectName);

    expect(await refusedWith(exports, nameOf(1, 1))).toContain('sealed');
    expect(await refusedWith(exports, nameOf(1, 2))).toContain('sealed');
    expect(await refusedWith(exports, nameOf(1, 3))).toBeUndefined();
  });

  it('whose flush fails is a failure, and the device is closed all the same', async () => {
    let closed = 0;
    const device = {
      ...memoryDevice(4096),
      flush: () => Promise.reject(new Error('flush failed')),
      close: async () => {
        closed += 1;
      },
    };
    const { exports } = await rig({ open: async () => device });
    await exports.resolve(nameOf(1), PEER);

    const error = await thrownBy(exports.seal(MIGRATION_ID, 1));

    expect(error.message).toBe('flush failed');
    expect(closed).toBe(1);
  });
});
