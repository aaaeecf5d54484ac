import { describe, expect, it } from 'vitest';
import { exportName } from '../../domain/names.ts';
import type { ObjectRef } from '../../domain/placement.ts';
import { createExports, type Exports } from '../../host-agent/exports.ts';
import { openGenerationJournal } from '../../host-agent/journal/generations.ts';
import { memoryDevice } from '../data-path/helpers/memory-device.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { anObject, DESTINATION, MIGRATION_ID } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';

const PEER = 'fingerprint-of-host-a';
const OBJECT = anObject('volume-v-m-1', DESTINATION, 4096);
const OTHER_OBJECT = anObject('volume-v-m-2', DESTINATION, 4096);
const nameOf = (attempt: number, run = 1): string => exportName(MIGRATION_ID, run, attempt);

/** Exports whose devices fail to flush as long as `failing` says so. */
const rig = async (failing: boolean[] = [true]) => {
  const directory = await tempDir();
  const happened: string[] = [];
  const open = async (): Promise<Exports> =>
    createExports({
      journal: await openGenerationJournal(directory),
      open: async () => ({
        ...memoryDevice(4096),
        flush: async () => {
          happened.push('flush');
          if (failing.shift()) throw new Error('the storage is sick');
        },
        close: async () => {
          happened.push('close');
        },
      }),
      endExport: async () => undefined,
    });
  const exports = await open();
  const admit = (run: number, object: ObjectRef): Promise<void> =>
    exports.admit({ migrationId: MIGRATION_ID, run, object, admitFingerprint: PEER });
  await admit(1, OBJECT);
  await admit(2, OTHER_OBJECT);
  return { exports, happened, admit, reopened: open };
};

describe('a generation whose last flush fails', () => {
  it('is closed all the same', async () => {
    const { exports, happened } = await rig();
    await exports.resolve(nameOf(1), PEER);

    await thrownBy(exports.seal(MIGRATION_ID, 1));

    expect(happened).toEqual(['flush', 'close']);
  });

  it('can never be sealed as if nothing had happened, also not after a restart', async () => {
    const { exports, reopened } = await rig();
    await exports.resolve(nameOf(1), PEER);
    await thrownBy(exports.seal(MIGRATION_ID, 1));

    const again = await refusalOf(exports.seal(MIGRATION_ID, 1));
    const later = await refusalOf((await reopened()).seal(MIGRATION_ID, 1));

    expect([again.code, later.code]).toEqual(['FlushFailed', 'FlushFailed']);
    expect(again.message).toContain('the storage is sick');
  });

  it('may be sealed for the removal of its object', async () => {
    const { exports, happened } = await rig();
    await exports.resolve(nameOf(1), PEER);

    await exports.sealObject(OBJECT.objectName);

    expect(happened).toEqual(['flush', 'close']);
    expect(await exports.resolve(nameOf(2), PEER)).toEqual({ refused: 'the export is sealed' });
    await expect(exports.sealObject(OBJECT.objectName)).resolves.toBeUndefined();
  });

  it('does not keep a later run from going on with its object, which believes only what was flushed before', async () => {
    const { exports, admit, happened } = await rig();
    await exports.resolve(nameOf(1), PEER);

    await admit(3, OBJECT);

    expect(happened).toEqual(['flush', 'close']);
    expect(await exports.resolve(nameOf(1, 3), PEER)).toHaveProperty('device');
  });

  it('fails back to the checkpoint before: the next generation may enter, and its seal counts', async () => {
    const { exports } = await rig([true, false]);
    await exports.resolve(nameOf(1), PEER);
    const superseding = await thrownBy(exports.resolve(nameOf(2), PEER));

    const next = await exports.resolve(nameOf(3), PEER);

    expect(superseding.message).toBe('the storage is sick');
    expect(next).toHaveProperty('device');
    expect(await exports.seal(MIGRATION_ID, 1)).toMatchObject({ generation: 3 });
  });

  it('whose successor never entered is not sealed as if the successor had written again what was lost', async () => {
    const { exports } = await rig();
    await exports.resolve(nameOf(1), PEER);
    await thrownBy(exports.resolve(nameOf(2), PEER));

    expect((await refusalOf(exports.seal(MIGRATION_ID, 1))).code).toBe('FlushFailed');
  });

  it('does not keep the others open when the agent stops', async () => {
    const { exports, happened } = await rig();
    await exports.resolve(nameOf(1, 1), PEER);
    await exports.resolve(nameOf(1, 2), PEER);

    const error = await thrownBy(exports.close());

    expect(error.message).toBe('the storage is sick');
    expect(happened.toSorted()).toEqual(['close', 'close', 'flush', 'flush']);
  });
});
