import { describe, expect, it } from 'vitest';
import { exportName } from '../../domain/names.ts';
import { createExports, type Exports, type LocalWriter } from '../../host-agent/exports.ts';
import { openGenerationJournal } from '../../host-agent/journal/generations.ts';
import { memoryDevice } from '../data-path/helpers/memory-device.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { deferred } from '../data-path/helpers/until.ts';
import { anObject, DESTINATION, MIGRATION_ID } from '../helpers/factories.ts';

const OWN = 'fingerprint-of-this-host';
const OBJECT = anObject('volume-v-m-1', DESTINATION, 4096);
const nameOf = (attempt: number): string => exportName(MIGRATION_ID, 1, attempt);

const rig = async (directory?: string) => {
  const happened: string[] = [];
  const at = directory ?? (await tempDir());
  const exports = createExports({
    journal: await openGenerationJournal(at),
    open: async () => memoryDevice(4096),
    endExport: async (name) => {
      happened.push(`connections of ${name.split('.').at(-1)} end`);
    },
  });
  await exports.admit({ migrationId: MIGRATION_ID, run: 1, object: OBJECT, admitFingerprint: OWN });
  const enter = (attempt: number, change: Partial<LocalWriter> = {}): ReturnType<Exports['enterLocal']> =>
    exports.enterLocal({
      migrationId: MIGRATION_ID,
      run: 1,
      attempt,
      fingerprint: OWN,
      end: async () => {
        happened.push(`writer ${attempt} ends`);
      },
      ...change,
    });
  return { exports, happened, enter, reopened: () => rig(at) };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a writer on the destination’s own host', () => {
  it('is told what it may write to, and is nobody that any other host could be', async () => {
    const { enter } = await rig();

    expect(await enter(1, { fingerprint: 'another' })).toEqual({
      refused: 'the certificate is not the one that was admitted',
    });
    expect(await enter(1, { run: 2 })).toEqual({ refused: 'no such export is open' });
    expect(await enter(0)).toHaveProperty('refused');
    expect(await enter(1)).toEqual({ object: OBJECT });
  });

  it('is alone in its generation: neither a connection nor a second writer enters it', async () => {
    const { exports, enter, happened } = await rig();
    await enter(1);

    expect(await exports.resolve(nameOf(1), OWN)).toEqual({ refused: 'generation 1 has a writer on its own host' });
    expect(await enter(1)).toEqual({ refused: 'generation 1 has had its writer' });
    expect(happened).toEqual([]);
  });

  it('does not enter a generation that has had connections', async () => {
    const { exports, enter } = await rig();
    await exports.resolve(nameOf(1), OWN);

    expect(await enter(1)).toEqual({ refused: 'generation 1 has had its writer' });
  });

  it('ends before a higher generation begins, be that a writer or a connection', async () => {
    const { exports, enter, happened } = await rig();

    await enter(1);
    await enter(2);
    await exports.resolve(nameOf(3), OWN);
    await enter(4);

    expect(happened).toEqual([
      'connections of 1 end',
      'writer 1 ends',
      'connections of 2 end',
      'writer 2 ends',
      'connections of 3 end',
    ]);
    expect(await enter(3)).toEqual({ refused: 'generation 3 was replaced by 4' });
  });

  it('is waited for by a higher generation, by a seal, and by the seal of its object', async () => {
    for (const what of ['a higher one', 'a seal', 'a removal']) {
      const { exports, enter } = await rig();
      const gate = deferred();
      await enter(1, { end: () => gate.promise });
      let over = false;
      const ending = (
        what === 'a higher one'
          ? enter(2)
          : what === 'a seal'
            ? exports.seal(MIGRATION_ID, 1)
            : exports.sealObject(OBJECT.objectName)
      ).then(() => {
        over = true;
      });

      await turn();
      const before = over;
      gate.resolve();
      await ending;

      expect([what, before, over]).toEqual([what, false, true]);
    }
  });

  it('is ended by a seal, which tells its generation and lets none in any more, also after a restart', async () => {
    const first = await rig();
    await first.enter(2);

    const sealed = await first.exports.seal(MIGRATION_ID, 1);
    const second = await first.reopened();

    expect(sealed).toEqual({ generation: 2, object: OBJECT });
    expect(first.happened).toContain('writer 2 ends');
    expect(await first.enter(3)).toEqual({ refused: 'the export is sealed' });
    expect(await second.enter(3)).toEqual({ refused: 'the export is sealed' });
  });

  it('does not come back in the generation it had before a restart', async () => {
    const first = await rig();
    await first.enter(2);

    const second = await first.reopened();

    expect(await second.enter(2)).toEqual({ refused: 'generation 2 has had its writer' });
    expect(await second.enter(3)).toEqual({ object: OBJECT });
  });

  it('is ended when the agent stops', async () => {
    const { exports, enter, happened } = await rig();
    await enter(1);

    await exports.close();

    expect(happened).toContain('writer 1 ends');
  });
});
