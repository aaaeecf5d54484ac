import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportName } from '../../domain/names.ts';
import { createExports, type Exports } from '../../host-agent/exports.ts';
import { openGenerationJournal } from '../../host-agent/journal/generations.ts';
import { memoryDevice } from '../data-path/helpers/memory-device.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { anObject, DESTINATION, MIGRATION_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';

const PEER = 'fingerprint-of-host-a';
const OBJECT = anObject('volume-v-m-1', DESTINATION, 4096);
const RUN = { migrationId: MIGRATION_ID, run: 1 };

const openIn = async (directory: string): Promise<Exports> =>
  createExports({
    journal: await openGenerationJournal(directory),
    open: async () => memoryDevice(4096),
    endExport: async () => undefined,
  });

const rig = async (): Promise<{ exports: Exports; directory: string }> => {
  const directory = await tempDir();
  const exports = await openIn(directory);
  await exports.admit({ ...RUN, object: OBJECT, admitFingerprint: PEER });
  return { exports, directory };
};

const enters = async (exports: Exports, attempt: number): Promise<boolean> =>
  'device' in (await exports.resolve(exportName(MIGRATION_ID, 1, attempt), PEER));

const open = (exports: Exports, generation: number): Promise<void> =>
  exports.openForRepair({ ...RUN, generation, sizeBytes: 4096 });

describe('an export that is opened for a repair', () => {
  it('lets higher generations in, and never the sealed one or an older one', async () => {
    const { exports } = await rig();
    await enters(exports, 3);
    await exports.seal(MIGRATION_ID, 1);

    await open(exports, 3);

    expect(await Promise.all([1, 2, 3].map((attempt) => enters(exports, attempt)))).toEqual([false, false, false]);
    expect(await enters(exports, 4)).toBe(true);
    expect(await enters(exports, 5)).toBe(true);
    expect(await enters(exports, 4)).toBe(false);
  });

  it('stays as it is over a restart', async () => {
    const { exports, directory } = await rig();
    await enters(exports, 1);
    await exports.seal(MIGRATION_ID, 1);
    await open(exports, 1);

    const later = await openIn(directory);

    expect([await enters(later, 1), await enters(later, 2)]).toEqual([false, true]);
  });

  it('is sealed for ever once the repair has entered', async () => {
    const { exports, directory } = await rig();
    await enters(exports, 1);
    await exports.seal(MIGRATION_ID, 1);
    await open(exports, 1);
    await enters(exports, 2);

    expect(await exports.seal(MIGRATION_ID, 1)).toEqual({ generation: 2, object: OBJECT });

    for (const again of [exports, await openIn(directory)]) {
      expect((await refusalOf(open(again, 2))).code).toBe('NoProof');
      expect((await refusalOf(open(again, 1))).code).toBe('NoProof');
      expect(await enters(again, 3)).toBe(false);
    }
  });

  it('may be opened once more when the verification dies before the repair: nothing has entered meanwhile', async () => {
    const { exports } = await rig();
    await enters(exports, 1);
    await exports.seal(MIGRATION_ID, 1);
    await open(exports, 1);

    expect(await exports.seal(MIGRATION_ID, 1)).toEqual({ generation: 1, object: OBJECT });
    expect(await enters(exports, 2)).toBe(false);
    await open(exports, 1);

    expect(await enters(exports, 2)).toBe(true);
  });

  it('must be sealed before, at the very generation that was read back', async () => {
    const { exports } = await rig();
    await enters(exports, 2);

    const unsealed = await refusalOf(open(exports, 2));
    await exports.seal(MIGRATION_ID, 1);
    const another = await refusalOf(open(exports, 1));
    const unknown = await refusalOf(exports.openForRepair({ ...RUN, run: 2, generation: 2, sizeBytes: 1 }));

    expect([unsealed.code, another.code, unknown.code]).toEqual(['NoProof', 'NoProof', 'NoProof']);
    expect(await enters(exports, 3)).toBe(false);
  });

  it('is not opened after a removal has sealed it, also one that comes in the middle of the repair', async () => {
    const { exports, directory } = await rig();
    await enters(exports, 1);
    await exports.seal(MIGRATION_ID, 1);
    await open(exports, 1);

    await exports.sealObject(OBJECT.objectName);

    for (const again of [exports, await openIn(directory)]) {
      expect((await refusalOf(open(again, 1))).code).toBe('NoProof');
      expect(await enters(again, 2)).toBe(false);
    }
  });

  it('never lets a sealed generation in again, and nothing at all after the end, whatever is asked in whatever order', async () => {
    const acts = fc.array(
      fc.oneof(
        fc.record({ act: fc.constant('enter' as const), attempt: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ act: fc.constant('open' as const), attempt: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ act: fc.constantFrom('seal' as const, 'restart' as const), attempt: fc.constant(0) }),
        fc.record({ act: fc.constant('remove' as const), attempt: fc.constant(0) }),
      ),
      { maxLength: 14 },
    );
    await fc.assert(
      fc.asyncProperty(acts, async (asked) => {
        const { exports: first, directory } = await rig();
        let exports = first;
        const model = { highest: 0, sealedUpTo: 0, isOpen: true, seals: 0, over: false };
        for (const { act, attempt } of asked) {
          if (act === 'restart') exports = await openIn(directory);
          if (act === 'remove') {
            await exports.sealObject(OBJECT.objectName);
            Object.assign(model, { isOpen: false, over: true, sealedUpTo: model.highest });
          }
          if (act === 'seal') {
            const sealed = await exports.seal(MIGRATION_ID, 1);
            expect(sealed?.generation).toBe(model.highest);
            // a seal that nobody has entered before is the same seal again
            if (model.isOpen && (model.highest > model.sealedUpTo || model.seals === 0)) model.seals += 1;
            if (model.seals > 1) model.over = true;
            Object.assign(model, { isOpen: false, sealedUpTo: model.highest });
          }
          if (act === 'open') {
            const opened = await open(exports, attempt).then(
              () => true,
              () => false,
            );
            expect(opened).toBe(!model.over && !model.isOpen && attempt === model.highest);
            if (opened) model.isOpen = true;
          }
          if (act === 'enter') {
            const entered = await enters(exports, attempt);
            expect(entered).toBe(model.isOpen && attempt >= model.highest && attempt > model.sealedUpTo);
            if (entered) model.highest = attempt;
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
