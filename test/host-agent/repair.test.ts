import { describe, expect, it, vi } from 'vitest';
import type { NamedRanges } from '../../domain/byte-range.ts';
import type { CopyResult, RepairResult, VerifyResult } from '../../domain/job/job.ts';
import { migrationJobId } from '../../domain/job/job.ts';
import { exportName, hashExportName } from '../../domain/names.ts';
import { DataPathError } from '../../host-agent/device/errors.ts';
import { CHUNK_BYTES } from '../../host-agent/digest/tree-hash.ts';
import type { Exports } from '../../host-agent/exports.ts';
import { naiveDigest } from '../data-path/helpers/naive-digest.ts';
import { CLIENT, SERVER } from '../data-path/helpers/nbd-rig.ts';
import { until } from '../data-path/helpers/until.ts';
import { MIGRATION_ID } from '../helpers/factories.ts';
import { PLACE } from './helpers/agent-rig.ts';
import {
  bytesIn,
  DATA,
  damageLeaves,
  fill,
  flip,
  SIZE_BYTES,
  type TwoAgents,
  tamper,
  twoAgents,
} from './helpers/two-agents.ts';

const FIRST_PAUSE_MS = 200;
const DATA_BYTES = (DATA.length - 1) * CHUNK_BYTES + 512;
const chunkRanges = (...chunks: number[]): NamedRanges => ({
  ranges: chunks.map((chunk) => ({
    fromByte: chunk * CHUNK_BYTES,
    endByte: Math.min((chunk + 1) * CHUNK_BYTES, SIZE_BYTES),
  })),
  more: 0,
});

const copied = ({ run, source, copyInput }: TwoAgents): Promise<CopyResult> =>
  run(source, { kind: 'data.copy', input: copyInput });

const verified = ({ run, destination, made }: TwoAgents, copy: CopyResult): Promise<VerifyResult> =>
  run(destination, {
    kind: 'data.verify',
    input: {
      object: made,
      sizeBytes: SIZE_BYTES,
      progressIntervalSeconds: null,
      digest: true,
      expected: { digest: copy.digest ?? '', generation: copy.generation },
    },
  });

const repaired = ({ run, source, copyInput }: TwoAgents, copy: CopyResult, read: VerifyResult): Promise<RepairResult> =>
  run(source, {
    kind: 'data.repair',
    input: {
      source: copyInput.source,
      sizeBytes: SIZE_BYTES,
      peer: copyInput.peer,
      writeEpoch: 0,
      progressIntervalSeconds: null,
      sourceDigest: copy.digest ?? '',
      sealed: { digest: read.digest ?? '', generation: read.generation },
    },
  });

const reverified = (agents: TwoAgents, read: VerifyResult, repair: RepairResult): Promise<VerifyResult> =>
  agents.run(agents.destination, {
    kind: 'data.reverify',
    input: {
      object: agents.made,
      sizeBytes: SIZE_BYTES,
      progressIntervalSeconds: null,
      digest: true,
      expected: { digest: repair.digest, generation: repair.generation },
      repaired: { differing: repair.differing, hashes: repair.hashes, before: read.digest ?? '' },
    },
  });

/** A copy whose destination has lost a bit in some chunks before it was read back. */
const differing = async (...chunks: number[]) => {
  const agents = await twoAgents();
  const copy = await copied(agents);
  for (const chunk of chunks) await flip(agents.destination, agents.made, chunk);
  const read = await verified(agents, copy);
  return { agents, copy, read };
};

const expectEqualEnds = async ({ source, destination, volume, made }: TwoAgents): Promise<void> => {
  expect((await bytesIn(destination, made)).equals(await bytesIn(source, volume))).toBe(true);
};

describe('a bit that was lost between write and readback', () => {
  it('is named, copied again alone, and proved', async () => {
    const { agents, copy, read } = await differing(4);

    const repair = await repaired(agents, copy, read);
    const again = await reverified(agents, read, repair);

    expect(read.digest).not.toBe(copy.digest);
    expect(repair).toMatchObject({
      digest: copy.digest,
      generation: 2,
      differing: chunkRanges(4),
      bytesRead: CHUNK_BYTES,
      bytesWritten: CHUNK_BYTES,
    });
    expect(again).toMatchObject({ digest: copy.digest, generation: 2 });
    await expectEqualEnds(agents);
  });

  it.each([
    ['in a hole', 1],
    ['in the last chunk, which is short', 12],
  ])('%s is repaired, too', async (_where, chunk) => {
    const { agents, copy, read } = await differing(chunk);

    const repair = await repaired(agents, copy, read);

    expect(repair.differing).toEqual(chunkRanges(chunk));
    expect(await reverified(agents, read, repair)).toMatchObject({ digest: copy.digest });
    await expectEqualEnds(agents);
  });

  it('reports its progress as it goes through the volume', async () => {
    const { agents, copy, read } = await differing(0, 9);

    await repaired(agents, copy, read);

    const job = await agents.source.store.jobs.get(PLACE.hostId, migrationJobId(MIGRATION_ID, 1, 'data.repair'));
    expect(job?.progress).toMatchObject({ doneBytes: 10 * CHUNK_BYTES, totalBytes: SIZE_BYTES });
    expect(agents.source.notifier.events.at(-1)?.detail).toMatchObject({ phase: 'repairing' });
  });
});

describe.each([
  ['the source', (agents: TwoAgents) => damageLeaves(agents.source)],
  ['the destination', (agents: TwoAgents) => damageLeaves(agents.destination)],
  [
    'the destination, where they are missing',
    ({ destination }: TwoAgents) => destination.parts.leaves.forget(migrationJobId(MIGRATION_ID, 1, 'data.verify')),
  ],
])('with void leaves at %s', (_where, damage) => {
  it('both sides are read as a whole, and the same is named, written and proved', async () => {
    const { agents, copy, read } = await differing(4);
    await damage(agents);

    const repair = await repaired(agents, copy, read);
    const again = await reverified(agents, read, repair);

    expect(repair).toMatchObject({
      digest: copy.digest,
      generation: 2,
      differing: chunkRanges(4),
      bytesRead: DATA_BYTES,
      bytesWritten: CHUNK_BYTES,
    });
    expect(again).toMatchObject({ digest: copy.digest, generation: 2 });
    await expectEqualEnds(agents);
  });
});

describe('a second difference', () => {
  it('is named as what differs now, which is not what was repaired', async () => {
    const { agents, copy, read } = await differing(4, 9);
    const repair = await repaired(agents, copy, read);
    await flip(agents.destination, agents.made, 9);
    await flip(agents.destination, agents.made, 1);

    const again = await reverified(agents, read, repair);

    expect(repair.differing).toEqual(chunkRanges(4, 9));
    expect(again.differing).toEqual(chunkRanges(1, 9));
  });

  it('is not named where it cannot be told: then the ranges of the repair stand for it', async () => {
    const { agents, copy, read } = await differing(4);
    const repair = await repaired(agents, copy, read);
    await damageLeaves(agents.destination);
    await flip(agents.destination, agents.made, 4);

    const again = await reverified(agents, read, repair);

    expect(again.digest).not.toBe(copy.digest);
    expect(again.differing).toBeUndefined();
  });
});

describe('a repair', () => {
  it('of what the source itself had misread gives the digest of what the source holds', async () => {
    const agents = await twoAgents();
    await flip(agents.source, agents.volume, 5);
    const copy = await copied(agents);
    await tamper(agents.source, agents.volume, 5 * CHUNK_BYTES + 17, Buffer.from([6]));
    await flip(agents.destination, agents.made, 4);
    await tamper(agents.destination, agents.made, 5 * CHUNK_BYTES + 17, Buffer.from([6]));
    const read = await verified(agents, copy);

    const repair = await repaired(agents, copy, read);

    expect(repair.differing.ranges).toEqual([{ fromByte: 4 * CHUNK_BYTES, endByte: 6 * CHUNK_BYTES }]);
    expect(repair.digest).toBe(await naiveDigest(await bytesIn(agents.source, agents.volume)));
    expect(await reverified(agents, read, repair)).toMatchObject({ digest: repair.digest });
  });

  it('whose connection breaks comes back as a higher generation', async () => {
    const { agents, copy, read } = await differing(4);
    const { exports } = agents.destination.parts;
    vi.spyOn(exports, 'resolve').mockRejectedValueOnce(new DataPathError('ConnectionLost', 'cut'));

    const repairing = repaired(agents, copy, read);
    await until('it waits before it comes back', () => agents.source.time.sleeping(FIRST_PAUSE_MS) === 1);
    agents.source.time.wake(FIRST_PAUSE_MS);
    const repair = await repairing;

    expect(repair).toMatchObject({ generation: 3, differing: chunkRanges(4) });
    expect(await reverified(agents, read, repair)).toMatchObject({ digest: copy.digest, generation: 3 });
  });

  it('is possible only after a difference: what is equal stays sealed for ever', async () => {
    const { agents, read, copy } = await differing();
    const resolve: Exports['resolve'] = (name, peer) => agents.destination.parts.exports.resolve(name, peer);

    expect(read.digest).toBe(copy.digest);
    for (const attempt of [1, 2, 99])
      expect(await resolve(exportName(MIGRATION_ID, 1, attempt), SERVER.fingerprint)).toHaveProperty('refused');
  });

  it('leaves the door shut behind it: no generation and no hashes are let in after the second seal', async () => {
    const { agents, copy, read } = await differing(4);
    const resolve: Exports['resolve'] = (name, peer) => agents.destination.parts.exports.resolve(name, peer);
    const old = await resolve(exportName(MIGRATION_ID, 1, 1), SERVER.fingerprint);

    await reverified(agents, read, await repaired(agents, copy, read));

    expect(old).toHaveProperty('refused');
    const names = [1, 2, 3, 99].map((attempt) => exportName(MIGRATION_ID, 1, attempt));
    for (const name of [
      ...names,
      hashExportName(MIGRATION_ID, 1, 1, 'tree'),
      hashExportName(MIGRATION_ID, 1, 2, 'leaves'),
    ])
      expect(await resolve(name, SERVER.fingerprint)).toEqual({ refused: 'the export is sealed' });
  });

  it('shows the hashes to the source alone', async () => {
    const { agents } = await differing(4);
    const resolve: Exports['resolve'] = (name, peer) => agents.destination.parts.exports.resolve(name, peer);

    const name = hashExportName(MIGRATION_ID, 1, 1, 'tree');

    expect(await resolve(name, CLIENT.fingerprint)).toHaveProperty('refused');
    expect(await resolve(name, SERVER.fingerprint)).toMatchObject({ readOnly: true });
  });
});

describe('a copy onto a destination that holds most of it already', () => {
  it('writes the chunks that differ and no others, and proves the whole', async () => {
    const agents = await twoAgents();
    await fill(agents.destination, agents.made);
    for (const chunk of [3, 7]) await flip(agents.destination, agents.made, chunk);
    const input = { ...agents.copyInput, destinationIsZero: false, destinationHasContent: true } as const;

    const copy = await agents.run(agents.source, { kind: 'data.copy', input });

    expect(copy).toMatchObject({ bytesRead: DATA_BYTES, bytesWritten: CHUNK_BYTES });
    expect(await verified(agents, copy)).toMatchObject({ digest: copy.digest });
    await expectEqualEnds(agents);
  });
});
