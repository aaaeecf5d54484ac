import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlockDevice } from '../../domain/block-device.ts';
import { exportName } from '../../domain/names.ts';
import { createExports } from '../../host-agent/exports.ts';
import { openGenerationJournal } from '../../host-agent/journal/generations.ts';
import { connectNbd } from '../../host-agent/nbd/client.ts';
import type { NbdServer } from '../../host-agent/nbd/server.ts';
import { anObject, DESTINATION, MIGRATION_ID } from '../helpers/factories.ts';
import { memoryDevice } from './helpers/memory-device.ts';
import { plainServer, portOf } from './helpers/raw-client.ts';
import { tempDir } from './helpers/temp-dir.ts';

const BLOCK_BYTES = 512;
const BLOCKS = 8;
const SIZE_BYTES = BLOCKS * BLOCK_BYTES;
const PEER = 'fingerprint-of-the-source';
const NEVER = new AbortController().signal;
/** A write that is frozen in the storage for so long is outlived by everything else. */
const FROZEN_TURNS = 300;

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await setImmediate();
};

/** When two writers come and write, when the seal comes, and how long the storage takes for each write. */
interface Script {
  readonly entersAt: readonly [number, number];
  /** The turns between the writes of each. */
  readonly writes: readonly [readonly number[], readonly number[]];
  readonly sealAt: number;
  readonly landingTurns: readonly number[];
}

const waits = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 12 });
const scripts: fc.Arbitrary<Script> = fc.record({
  entersAt: fc.tuple(fc.nat({ max: 10 }), fc.nat({ max: 120 })),
  writes: fc.tuple(waits, waits),
  sealAt: fc.integer({ min: 20, max: 300 }),
  landingTurns: fc.array(fc.oneof(fc.nat({ max: 8 }), fc.constant(FROZEN_TURNS)), { minLength: 1, maxLength: 12 }),
});

type Happened =
  | { readonly what: 'asked' | 'admitted'; readonly generation: number }
  | { readonly what: 'sent' | 'landed'; readonly generation: number }
  | { readonly what: 'sealing' | 'sealed' };

const storage = ({ landingTurns }: Script, happened: Happened[]) => {
  const memory = memoryDevice(SIZE_BYTES);
  let writes = 0;
  const open = async (): Promise<BlockDevice> => ({
    ...memory,
    async write(offset, source) {
      const bytes = Buffer.from(source);
      const generation = bytes[0] ?? 0;
      happened.push({ what: 'sent', generation });
      await turns(landingTurns[writes++ % landingTurns.length] ?? 0);
      await memory.write(offset, bytes);
      happened.push({ what: 'landed', generation });
    },
  });
  return { memory, open };
};

const playOut = async (script: Script) => {
  const happened: Happened[] = [];
  const { memory, open } = storage(script, happened);
  const journal = await openGenerationJournal(await tempDir());
  const exports = createExports({ journal, open, endExport: (name) => server.endExport(name) });
  const server: NbdServer = await plainServer(memory, {
    async resolveExport(name) {
      const generation = Number(name.split('.').at(-1));
      happened.push({ what: 'asked', generation });
      const resolved = await exports.resolve(name, PEER);
      if ('device' in resolved) happened.push({ what: 'admitted', generation });
      return resolved;
    },
  });
  const object = anObject('volume-v-m-1', DESTINATION, SIZE_BYTES);
  await exports.admit({ migrationId: MIGRATION_ID, run: 1, object, admitFingerprint: PEER });

  const writer = async (generation: 1 | 2): Promise<void> => {
    await turns(script.entersAt[generation - 1] ?? 0);
    const name = exportName(MIGRATION_ID, 1, generation);
    const device = await connectNbd({ host: '127.0.0.1', port: portOf(server), exportName: name, signal: NEVER });
    const writes = (script.writes[generation - 1] ?? []).map(async (wait, nth) => {
      await turns(wait * nth);
      await device.write((nth % BLOCKS) * BLOCK_BYTES, Buffer.alloc(BLOCK_BYTES, generation));
    });
    await Promise.allSettled(writes);
    await device.close();
  };
  const sealer = async (): Promise<Buffer> => {
    await turns(script.sealAt);
    happened.push({ what: 'sealing' });
    await exports.seal(MIGRATION_ID, 1);
    happened.push({ what: 'sealed' });
    return Buffer.from(memory.content);
  };
  // a writer that comes too late, or is replaced, is turned away: that is no failure
  const [sealed] = await Promise.all([sealer(), ...[writer(1), writer(2)].map((one) => one.catch(() => undefined))]);
  await turns(2 * FROZEN_TURNS);
  return { happened, sealed, content: memory.content };
};

const indexOf = (happened: readonly Happened[], what: Happened['what'], generation?: number): number =>
  happened.findIndex(
    (one) => one.what === what && (generation === undefined || ('generation' in one && one.generation === generation)),
  );

describe('an export has one writer', () => {
  it('whoever comes and goes: nothing of a generation lands after the next was admitted, and nothing at all after the seal', async () => {
    const met = { replacedInFlight: 0, sealedInFlight: 0 };
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { happened, sealed, content } = await playOut(script);

        const admitted = indexOf(happened, 'admitted', 2);
        const end = indexOf(happened, 'sealed');
        const landedAfter = (at: number, generation?: number): number =>
          indexOf(happened.slice(at), 'landed', generation);
        if (admitted >= 0) expect(landedAfter(admitted, 1)).toBe(-1);
        expect(landedAfter(end)).toBe(-1);
        expect(content.equals(sealed)).toBe(true);

        const asked = indexOf(happened, 'asked', 2);
        if (admitted >= 0 && landedAfter(asked, 1) >= 0) met.replacedInFlight += 1;
        if (landedAfter(indexOf(happened, 'sealing')) >= 0) met.sealedInFlight += 1;
      }),
      { numRuns: 60 },
    );
    expect(met.replacedInFlight).toBeGreaterThan(0);
    expect(met.sealedInFlight).toBeGreaterThan(0);
  });
});
