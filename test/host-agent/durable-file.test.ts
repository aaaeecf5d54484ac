import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpointJournal } from '../../host-agent/journal/checkpoints.ts';
import { openKnownPools } from '../../host-agent/journal/known-pools.ts';
import { readDurable, removeDurable, writeDurable } from '../../local/durable-file.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';

const CHECKPOINT = {
  settledBytes: 0,
  digest: { format: 'volmove-merkle-1', sizeBytes: 4096, chunks: 0, frontier: [] },
} as const;

describe('a durable file', () => {
  it('is not there, then is what was written last, then is not there again', async () => {
    const path = join(await tempDir(), 'x.json');

    const before = await readDurable(path);
    await writeDurable(path, { n: 1 });
    await writeDurable(path, { n: 2 });
    const written = await readDurable(path);
    await removeDurable(path);
    await removeDurable(path);

    expect([before, written, await readDurable(path)]).toEqual([undefined, { n: 2 }, undefined]);
  });

  it('leaves nothing beside it, also when many write it at once: one of them stands, whole', async () => {
    const directory = await tempDir();
    const path = join(directory, 'x.json');

    await Promise.all(Array.from({ length: 20 }, (_, n) => writeDurable(path, { n, pad: 'x'.repeat(5_000) })));

    expect(await readDurable(path)).toMatchObject({ pad: 'x'.repeat(5_000) });
    expect(await readdir(directory)).toEqual(['x.json']);
  });

  it('is not disturbed by what a crash in the middle of a write left beside it', async () => {
    const directory = await tempDir();
    const path = join(directory, 'x.json');
    await writeDurable(path, { n: 1 });
    await writeFile(`${path}.99999.0.tmp`, '{"n":');

    expect(await readDurable(path)).toEqual({ n: 1 });
  });

  it('that is there and not whole is an error that says which, never "nothing there"', async () => {
    const path = join(await tempDir(), 'x.json');
    await writeFile(path, '{"n":');

    expect((await thrownBy(readDurable(path))).message).toContain(path);
  });
});

describe('the checkpoint journal', () => {
  it('gives a checkpoint back after a restart, for the same job and epoch alone', async () => {
    const directory = await tempDir();
    const job = 'm.1.data.copy';
    const journal = await openCheckpointJournal(directory);
    await journal.write({ jobId: job, writeEpoch: 3, checkpoint: CHECKPOINT });

    const reopened = await openCheckpointJournal(directory);

    expect(await reopened.read(job, 3)).toEqual(CHECKPOINT);
    expect(await reopened.read(job, 4)).toBeUndefined();
    expect(await reopened.read('m.2.data.copy', 3)).toBeUndefined();
    await reopened.forget(job);
    expect(await reopened.read(job, 3)).toBeUndefined();
  });

  it('keeps jobs apart whose names would be paths', async () => {
    const journal = await openCheckpointJournal(await tempDir());

    await journal.write({ jobId: '../a/b', writeEpoch: 0, checkpoint: CHECKPOINT });

    expect(await journal.read('../a/b', 0)).toEqual(CHECKPOINT);
    expect(await journal.read('a/b', 0)).toBeUndefined();
  });
});

describe('the pools that were met', () => {
  it('are known after a restart, and every one of many that are met at once, however often that is tried', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `pool-${i}`);
    const forgotten: string[] = [];

    for (let round = 0; round < 25; round++) {
      const directory = await tempDir();
      const known = await openKnownPools(directory);
      await Promise.all(names.map((name) => known.remember('files', name, `id of ${name}`)));
      const reopened = await openKnownPools(directory);
      forgotten.push(...names.filter((name) => reopened.idOf('files', name) !== `id of ${name}`));
      expect(reopened.idOf('other', 'pool-1')).toBeUndefined();
    }

    expect(forgotten).toEqual([]);
  });
});
