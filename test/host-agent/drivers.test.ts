import { randomUUID } from 'node:crypto';
import { mkdir, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileDriver } from '../../host-agent/drivers/file/driver.ts';
import { createBackends } from '../../host-agent/drivers/registry.ts';
import { requireBackends } from '../../host-agent/drivers/require-backends.ts';
import { templateDriver } from '../../host-agent/drivers/template/driver.ts';
import type { Storage } from '../../host-agent/drivers/template/storage.ts';
import { openKnownPools } from '../../host-agent/journal/known-pools.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { DESTINATION } from '../helpers/factories.ts';
import { refusalOf } from '../helpers/refusal.ts';
import { type DriverUnderTest, driverContract } from './driver-contract.ts';
import { driverDeps } from './helpers/driver-deps.ts';

const NEVER = new AbortController().signal;
const MIB = 1024 * 1024;

interface FilePool extends DriverUnderTest {
  readonly path: string;
}

const filePool = async (): Promise<FilePool> => {
  const directory = await tempDir();
  const path = join(directory, 'pool');
  const away = join(directory, 'unmounted');
  await mkdir(path);
  const start = async () =>
    fileDriver({ backend: 'files', pools: [{ name: 'main', path }], knownPools: await openKnownPools(directory) });
  return {
    driver: await start(),
    pool: 'main',
    path,
    restarted: start,
    // an unmounted share leaves the empty directory that it was mounted on
    takeAway: async () => {
      await rename(path, away);
      await mkdir(path);
    },
    bringBack: async () => {
      await rename(path, join(directory, 'mount point'));
      await rename(away, path);
    },
    others: async () => {
      await mkdir(join(path, 'lost+found'));
      for (const name of [
        'vm-disk.img',
        'volume-old.img',
        `volume-11111111-1111-4111-8111-111111111111-create-1.qcow2`,
      ])
        await writeFile(join(path, name), 'not ours');
      return ['vm-disk', 'volume-old'];
    },
    replace: async () => {
      await rename(path, away);
      await mkdir(path);
      await writeFile(
        join(path, '.volmove-pool.json'),
        JSON.stringify({ poolId: '99999999-9999-4999-8999-999999999999' }),
      );
    },
  };
};

const newStorage = (): Storage => ({ poolId: randomUUID(), capacityBytes: 1024 * MIB, items: new Map() });

/** The one that a driver is begun from: it has to be a whole one. */
const templatePool = async (): Promise<DriverUnderTest> => {
  const directory = await tempDir();
  const storage = newStorage();
  let here: Storage | undefined = storage;
  const connect = async (): Promise<Storage> => {
    if (here) return here;
    throw new Error('no route to the storage system');
  };
  const start = async () =>
    templateDriver({
      backend: 'template',
      pools: [{ name: 'main', connect }],
      knownPools: await openKnownPools(directory),
    });
  return {
    driver: await start(),
    pool: 'main',
    restarted: start,
    takeAway: async () => {
      here = undefined;
    },
    bringBack: async () => {
      here = storage;
    },
    replace: async () => {
      here = newStorage();
    },
    others: async () => {
      const item = { content: Buffer.alloc(MIB), ours: false, madeAtMs: 1, users: 0 };
      for (const name of ['vm-disk', 'volume-old']) storage.items.set(name, { ...item, id: `id-of-${name}` });
      return ['vm-disk', 'volume-old'];
    },
  };
};

describe.each([
  { kind: 'file', setUp: filePool },
  { kind: 'template', setUp: templatePool },
])('driver $kind', ({ setUp }) => {
  driverContract(setUp);
});

describe('the file driver', () => {
  it('makes objects that take up no space', async () => {
    const { driver, pool, path } = await filePool();

    await driver.create({ pool, objectName: 'thin', sizeBytes: 1024 * MIB }, NEVER);

    const { size, blocks } = await stat(join(path, 'thin.img'));
    expect([size, blocks]).toEqual([1024 * MIB, 0]);
  });

  it('lists what an interrupted create has left: a file that is too short', async () => {
    const { driver, pool, path } = await filePool();
    await driver.pools(NEVER);
    const name = 'volume-11111111-1111-4111-8111-111111111111-create-1';
    await writeFile(join(path, `${name}.img`), '');

    const { objects } = await driver.list({ pool, after: null, limit: 10 }, NEVER);

    expect(objects).toMatchObject([{ objectName: name, sizeBytes: 0 }]);
  });

  it('ends what an interrupted create left: a file that is too short is made as long as it has to be, and not called zero', async () => {
    const { driver, pool, path } = await filePool();
    await driver.pools(NEVER);
    await writeFile(join(path, 'half.img'), '');
    await truncate(join(path, 'half.img'), MIB);

    const made = await driver.create({ pool, objectName: 'half', sizeBytes: 2 * MIB }, NEVER);

    expect(made).toMatchObject({ sizeBytes: 2 * MIB, zero: false });
  });

  it('calls a pool offline whose directory is gone, or whose identity cannot be read', async () => {
    const { driver, pool, path } = await filePool();
    await driver.pools(NEVER);
    await writeFile(join(path, '.volmove-pool.json'), '{"poolId":');
    const unreadable = await refusalOf(driver.find({ pool, objectName: 'x' }, NEVER));
    await rename(path, `${path}-gone`);

    const gone = await refusalOf(driver.find({ pool, objectName: 'x' }, NEVER));

    expect([unreadable.code, gone.code]).toEqual(['BackendOffline', 'BackendOffline']);
    expect(gone.message).toContain('does not exist');
  });

  it('takes a pool over whose identity another agent made before', async () => {
    const first = await filePool();
    const [report] = await first.driver.pools(NEVER);
    const other = fileDriver({
      backend: 'files',
      pools: [{ name: 'main', path: first.path }],
      knownPools: await openKnownPools(await tempDir()),
    });

    const [seen] = await other.pools(NEVER);

    expect(seen?.poolId).toBe(report?.poolId);
  });

  it('gives a new pool one identity, also when its first calls come all at once', async () => {
    const path = await tempDir();
    const remembered = new Set<string>();
    const known = await openKnownPools(await tempDir());
    const knownPools = {
      ...known,
      remember: async (backend: string, pool: string, poolId: string) => {
        remembered.add(poolId);
        await known.remember(backend, pool, poolId);
      },
    };
    const driver = fileDriver({ backend: 'files', pools: [{ name: 'main', path }], knownPools });

    await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => driver.find({ pool: 'main', objectName: `new-${i}` }, NEVER)),
    );

    expect(remembered.size).toBe(1);
  });

  it('lists an offline pool beside one that is up, with the identity that it is known by', async () => {
    const directory = await tempDir();
    const pools = ['a', 'b'].map((name) => ({ name, path: join(directory, name) }));
    for (const { path } of pools) await mkdir(path);
    const driver = fileDriver({ backend: 'files', pools, knownPools: await openKnownPools(directory) });
    const before = await driver.pools(NEVER);
    await rename(join(directory, 'a'), join(directory, 'gone'));

    const after = await driver.pools(NEVER);

    expect(after.map((p) => [p.name, p.state, p.poolId])).toEqual([
      ['a', 'offline', before[0]?.poolId],
      ['b', 'up', before[1]?.poolId],
    ]);
  });

  it('remembers every pool of an agent that met them all at its first start', async () => {
    const directory = await tempDir();
    const pools = ['a', 'b', 'c'].map((name) => ({ name, path: join(directory, name) }));
    for (const { path } of pools) await mkdir(path);
    await fileDriver({ backend: 'files', pools, knownPools: await openKnownPools(directory) }).pools(NEVER);
    for (const { path } of pools) {
      await rename(path, `${path}-unmounted`);
      await mkdir(path);
    }

    const after = fileDriver({ backend: 'files', pools, knownPools: await openKnownPools(directory) });

    expect((await after.pools(NEVER)).map((p) => p.state)).toEqual(['offline', 'offline', 'offline']);
  });
});

describe('the backends of an agent', () => {
  it('are found by their name, and one that is not configured is said by its place', async () => {
    const { path } = await filePool();
    const knownPools = await openKnownPools(await tempDir());
    const backends = createBackends(
      [{ name: 'files', driver: 'file', pools: [{ name: 'ssd', path }] }],
      driverDeps(knownPools),
    );

    expect(backends.get(DESTINATION).kind).toBe('file');
    expect(() => backends.get({ ...DESTINATION, backend: 'tape' })).toThrow(/host-b@tape#ssd/);
    expect(backends.names).toEqual(['files']);
  });

  it('have all paths that are wrong at the first start said at once; a pool that was met before may be away', async () => {
    const directory = await tempDir();
    await writeFile(join(directory, 'a file'), '');
    const known = await openKnownPools(directory);
    await known.remember('files', 'met', 'some-id');
    const pools = [
      { name: 'none', path: join(directory, 'none') },
      { name: 'wrong', path: join(directory, 'a file') },
      { name: 'met', path: join(directory, 'unmounted') },
    ];

    const error = await refusalOf(
      requireBackends(
        {
          backends: createBackends([{ name: 'files', driver: 'file', pools }], driverDeps(known)),
          known,
          sleep: () => new Promise(() => undefined),
          onProblem: () => undefined,
        },
        NEVER,
      ),
    );

    expect(error.message).toContain('2 problems');
    expect(error.message).toMatch(/pool none, .* does not exist/);
    expect(error.message).toMatch(/pool wrong, .* is no directory/);
  });
});
