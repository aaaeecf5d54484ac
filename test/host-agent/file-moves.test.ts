import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Driver } from '../../host-agent/drivers/contract.ts';
import { fileDriver } from '../../host-agent/drivers/file/driver.ts';
import type { BackendMove, BackendMoves } from '../../host-agent/drivers/moves.ts';
import { openKnownPools } from '../../host-agent/journal/known-pools.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../helpers/refusal.ts';

/** Two directories of one file system: a move is a second name, and then no first one any more. */

const NEVER = new AbortController().signal;
const SIZE_BYTES = 64 * 1024;
const SOURCE = 'volume-11111111-1111-4111-8111-111111111111-create-1';
const MADE = 'volume-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222-1';

interface Scene {
  readonly driver: Driver;
  readonly moves: BackendMoves;
  readonly move: BackendMove;
  readonly files: () => Promise<{ readonly a: string[]; readonly b: string[] }>;
  readonly path: (pool: 'a' | 'b', name: string) => string;
  readonly directory: string;
}

const images = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();

const scene = async (): Promise<Scene> => {
  const directory = await tempDir();
  const pools = ['a', 'b'].map((name) => ({ name, path: join(directory, name) }));
  for (const { path } of pools) await mkdir(path);
  const driver = fileDriver({ backend: 'files', pools, knownPools: await openKnownPools(directory) });
  const { objectId } = await driver.create({ pool: 'a', objectName: SOURCE, sizeBytes: SIZE_BYTES }, NEVER);
  const path: Scene['path'] = (pool, name) => join(directory, pool, `${name}.img`);
  await writeFile(path('a', SOURCE), Buffer.alloc(SIZE_BYTES, 7));
  await driver.pools(NEVER);
  if (!driver.moves) throw new Error('the driver makes no moves');
  return {
    driver,
    moves: driver.moves,
    move: {
      source: { pool: 'a', objectName: SOURCE, objectId },
      destination: { pool: 'b', objectName: MADE },
      sizeBytes: SIZE_BYTES,
    },
    files: async () => ({ a: await images(join(directory, 'a')), b: await images(join(directory, 'b')) }),
    path,
    directory,
  };
};

const BEFORE = { a: [`${SOURCE}.img`], b: [] };
const BOTH = { a: [`${SOURCE}.img`], b: [`${MADE}.img`] };
const AFTER = { a: [], b: [`${MADE}.img`] };

describe('a move between two directories of one file system', () => {
  it('is possible between pools that report the same system', async () => {
    const { driver } = await scene();

    const [a, b] = await driver.pools(NEVER);

    expect(a?.systemId).toMatch(/^file-system-\d+$/);
    expect(b?.systemId).toBe(a?.systemId);
  });

  it('is the same file all the way, and leaves nothing behind', async () => {
    const { moves, move, files, path } = await scene();
    const { ino } = await stat(path('a', SOURCE));

    expect(await moves.recover(move, NEVER)).toEqual({ state: 'none' });
    expect(await moves.canMove(move, NEVER)).toEqual({ ok: true });
    expect(await files()).toEqual(BEFORE);
    await moves.start(move, NEVER);
    expect(await moves.poll(move, NEVER)).toEqual({ state: 'synchronised' });
    expect(await files()).toEqual(BOTH);
    const finished = await moves.finish(move, NEVER);

    expect(finished).toEqual({ objectId: move.source.objectId, sizeBytes: SIZE_BYTES });
    expect(await files()).toEqual(AFTER);
    expect((await stat(path('b', MADE))).ino).toBe(ino);
    expect((await readFile(path('b', MADE))).every((byte) => byte === 7)).toBe(true);
  });

  it('says the same however often each step is asked for, and by whichever agent', async () => {
    const { moves, move, files } = await scene();

    await moves.start(move, NEVER);
    await moves.start(move, NEVER);
    expect(await moves.recover(move, NEVER)).toEqual({ state: 'synchronised' });
    const once = await moves.finish(move, NEVER);

    expect(await moves.finish(move, NEVER)).toEqual(once);
    expect(await moves.recover(move, NEVER)).toEqual({ state: 'finished', object: once });
    expect(await files()).toEqual(AFTER);
  });

  it('is gone back from before the end, and never after it', async () => {
    const { moves, move, files } = await scene();
    await moves.abort(move, NEVER);
    expect(await files()).toEqual(BEFORE);

    await moves.start(move, NEVER);
    await moves.abort(move, NEVER);
    await moves.abort(move, NEVER);
    expect(await files()).toEqual(BEFORE);

    await moves.start(move, NEVER);
    await moves.finish(move, NEVER);
    expect((await refusalOf(moves.abort(move, NEVER))).message).toContain('finished already');
    expect(await files()).toEqual(AFTER);
  });

  it('is undone without a look at the other directory when nothing was begun, and never past one that is away', async () => {
    const { moves, move, files, directory } = await scene();
    const away = join(directory, 'b-is-away');

    await rename(join(directory, 'b'), away);
    await moves.abort(move, NEVER);
    await rename(away, join(directory, 'b'));
    await moves.start(move, NEVER);
    await rename(join(directory, 'b'), away);
    const begun = await refusalOf(moves.abort(move, NEVER));
    await rename(away, join(directory, 'b'));
    await moves.abort(move, NEVER);

    expect(begun.code).toBe('BackendOffline');
    expect(await files()).toEqual(BEFORE);
  });

  it('does not end what was not begun', async () => {
    const { moves, move, files } = await scene();

    expect((await refusalOf(moves.finish(move, NEVER))).code).toBe('BackendRefused');
    expect(await files()).toEqual(BEFORE);
  });

  it('fails of what is open, gone, or another object by now: a copy of that would be no better', async () => {
    const { moves, move, path } = await scene();
    const another = { ...move, source: { ...move.source, objectId: 'inode-1' } };
    const gone = { ...move, source: { ...move.source, objectName: `${SOURCE}1` } };
    const handle = await open(path('a', SOURCE));
    onTestFinished(() => handle.close().catch(() => undefined));

    const opened = await refusalOf(moves.canMove(move, NEVER));
    await handle.close();
    const replaced = await refusalOf(moves.canMove(another, NEVER));
    const missing = await refusalOf(moves.canMove(gone, NEVER));

    expect([opened.code, replaced.code, missing.code]).toEqual(['ObjectBusy', 'ObjectBusy', 'ObjectMissing']);
    expect(opened.message).toContain(`process ${process.pid} has it open`);
    expect(replaced.message).toContain('somebody replaced it');
  });

  it('is refused where the name is taken', async () => {
    const { moves, move, path } = await scene();
    await writeFile(path('b', MADE), 'somebody else’s');
    expect(await moves.canMove(move, NEVER)).toMatchObject({ ok: false, reason: expect.stringContaining(MADE) });
    expect(await moves.recover(move, NEVER)).toEqual({ state: 'none' });
    await moves.abort(move, NEVER);
    expect(await readFile(path('b', MADE), 'utf8')).toBe('somebody else’s');
  });
});
