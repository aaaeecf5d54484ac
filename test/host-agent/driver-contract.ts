import { expect, it, onTestFinished } from 'vitest';
import type { Driver, OpenedDevice } from '../../host-agent/drivers/contract.ts';
import { thrownBy } from '../data-path/helpers/thrown.ts';
import { refusalOf } from '../helpers/refusal.ts';

/** What every driver has to do, whatever its backend is. A suite sets one up, with a pool of its own that is empty. */
export interface DriverUnderTest {
  readonly driver: Driver;
  readonly pool: string;
  /** Another agent process on the same pool: after a restart, with what the first one remembered. */
  readonly restarted: () => Promise<Driver>;
  /** The pool is out of reach from now on. */
  readonly takeAway: () => Promise<void>;
  readonly bringBack: () => Promise<void>;
  /** Somebody else keeps something in the pool, too. Resolves with the names of what could be adopted of it, in their order. */
  readonly others: () => Promise<readonly string[]>;
  /** Another pool stands where this one was. */
  readonly replace: () => Promise<void>;
}

const MIB = 1024 * 1024;
const SIZE_BYTES = 4 * MIB + 1536;
const NEVER = new AbortController().signal;
const NAME = 'volume-11111111-1111-4111-8111-111111111111-create-1';

const opened = async (
  driver: Driver,
  pool: string,
  objectName: string,
  mode: 'ro' | 'rw' = 'rw',
): Promise<OpenedDevice> => {
  const one = await driver.open({ pool, objectName }, mode, NEVER);
  let open = true;
  onTestFinished(async () => {
    if (open) await one.device.close();
  });
  const close = async (): Promise<void> => {
    open = false;
    await one.device.close();
  };
  return { ...one, device: { ...one.device, close } };
};

const contentOf = async (driver: Driver, pool: string, objectName: string): Promise<Buffer> => {
  const { device } = await opened(driver, pool, objectName, 'ro');
  const content = Buffer.alloc(device.sizeBytes);
  await device.read(0, content);
  await device.close();
  return content;
};

type SetUp = () => Promise<DriverUnderTest>;

export const driverContract = (setUp: SetUp): void => {
  creation(setUp);
  access(setUp);
  removal(setUp);
  reachability(setUp);
  listing(setUp);
};

const creation = (setUp: SetUp): void => {
  it('makes an object that is found by its name, with the size that was asked for, reading as zeroes when it says so', async () => {
    const { driver, pool } = await setUp();

    const made = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    const found = await driver.find({ pool, objectName: NAME }, NEVER);
    expect(found).toEqual({ objectId: made.objectId, sizeBytes: made.sizeBytes });
    expect(made.sizeBytes).toBeGreaterThanOrEqual(SIZE_BYTES);
    if (made.zero) expect((await contentOf(driver, pool, NAME)).every((byte) => byte === 0)).toBe(true);
  });

  it('makes the same object when it is asked again, and calls it zero only in the call that made it', async () => {
    const { driver, pool, restarted } = await setUp();
    const request = { pool, objectName: NAME, sizeBytes: SIZE_BYTES };
    const first = await driver.create(request, NEVER);
    const { device } = await opened(driver, pool, NAME);
    await device.write(MIB, Buffer.from('written since'));
    await device.flush();

    const again = await driver.create(request, NEVER);
    const afterRestart = await (await restarted()).create(request, NEVER);

    expect([again.objectId, afterRestart.objectId]).toEqual([first.objectId, first.objectId]);
    expect([again.zero, afterRestart.zero]).toEqual([false, false]);
    expect((await contentOf(driver, pool, NAME)).subarray(MIB, MIB + 13).toString()).toBe('written since');
  });

  it('makes one object when it is asked many times at once, and at most one of the calls says zero', async () => {
    const { driver, pool } = await setUp();
    await driver.find({ pool, objectName: NAME }, NEVER);
    const request = { pool, objectName: NAME, sizeBytes: SIZE_BYTES };

    const made = await Promise.allSettled(Array.from({ length: 6 }, () => driver.create(request, NEVER)));

    const done = made.filter((m) => m.status === 'fulfilled').map((m) => m.value);
    expect(new Set(done.map((m) => m.objectId)).size).toBe(1);
    expect(done.filter((m) => m.zero).length).toBeLessThanOrEqual(1);
  });

  it('finds nothing of another object: in a pool full of 0xA5 a new one that is called zero is of zeroes', async () => {
    const { driver, pool } = await setUp();
    for (const i of [1, 2, 3]) {
      await driver.create({ pool, objectName: `other-${i}`, sizeBytes: SIZE_BYTES }, NEVER);
      const { device } = await opened(driver, pool, `other-${i}`);
      await device.write(0, Buffer.alloc(SIZE_BYTES, 0xa5));
      await device.flush();
      await device.close();
    }
    await driver.remove({ pool, objectName: 'other-2', objectId: null }, NEVER);

    const made = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    if (made.zero) expect((await contentOf(driver, pool, NAME)).every((byte) => byte === 0)).toBe(true);
    expect((await contentOf(driver, pool, 'other-1')).subarray(0, SIZE_BYTES).every((byte) => byte === 0xa5)).toBe(
      true,
    );
  });

  it('makes an object larger and never smaller, and what is new of it reads as zeroes where a new one would', async () => {
    const { driver, pool } = await setUp();
    const { objectId, zero } = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);
    const { device } = await opened(driver, pool, NAME);
    await device.write(0, Buffer.from('kept'));
    await device.flush();
    await device.close();

    const larger = await driver.extend({ pool, objectName: NAME, sizeBytes: 3 * SIZE_BYTES }, NEVER);
    const again = await driver.extend({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    expect(larger.objectId).toBe(objectId);
    expect(larger.sizeBytes).toBeGreaterThanOrEqual(3 * SIZE_BYTES);
    expect(again).toEqual(larger);
    expect(await driver.find({ pool, objectName: NAME }, NEVER)).toEqual(larger);
    const content = await contentOf(driver, pool, NAME);
    expect(content.subarray(0, 4).toString()).toBe('kept');
    if (zero) expect(content.subarray(SIZE_BYTES).every((byte) => byte === 0)).toBe(true);
  });

  it('does not make larger what is not there', async () => {
    const { driver, pool } = await setUp();

    const error = await refusalOf(driver.extend({ pool, objectName: NAME, sizeBytes: MIB }, NEVER));

    expect(error.code).toBe('ObjectMissing');
  });

  it('refuses a pool that it does not have', async () => {
    const { driver } = await setUp();

    const error = await refusalOf(driver.create({ pool: 'elsewhere', objectName: NAME, sizeBytes: MIB }, NEVER));

    expect(error.code).toBe('PoolNotFound');
  });
};

const access = (setUp: SetUp): void => {
  it('gives back over a fresh open what was written and flushed, and tells where a guest finds it', async () => {
    const { driver, pool } = await setUp();
    await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);
    const { device } = await opened(driver, pool, NAME);
    await device.write(SIZE_BYTES - 5, Buffer.from('tail!'));
    await device.flush();
    await device.close();

    const content = await contentOf(driver, pool, NAME);

    expect(content.subarray(SIZE_BYTES - 5, SIZE_BYTES).toString()).toBe('tail!');
    // none where a guest opens it by a name of the backend's own
    expect((await driver.path({ pool, objectName: NAME })) ?? '/').toMatch(/^\//);
  });

  it('opens a source for reading alone while somebody else has it open for writing', async () => {
    const { driver, pool } = await setUp();
    await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);
    await opened(driver, pool, NAME);

    const { device } = await opened(driver, pool, NAME, 'ro');

    expect((await thrownBy(device.write(0, Buffer.from('x')))).name).toBe('IoError');
  });

  it('says that an object which is not there is missing', async () => {
    const { driver, pool } = await setUp();

    expect((await refusalOf(driver.open({ pool, objectName: NAME }, 'ro', NEVER))).code).toBe('ObjectMissing');
  });
};

const removal = (setUp: SetUp): void => {
  it('removes an object once: true, then false, then nothing is found', async () => {
    const { driver, pool } = await setUp();
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    const removed = [
      await driver.remove({ pool, objectName: NAME, objectId }, NEVER),
      await driver.remove({ pool, objectName: NAME, objectId }, NEVER),
    ];

    expect(removed).toEqual([true, false]);
    expect(await driver.find({ pool, objectName: NAME }, NEVER)).toBeUndefined();
  });

  it('never removes what is open, and does as soon as it is closed', async () => {
    const { driver, pool } = await setUp();
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);
    const { device } = await opened(driver, pool, NAME, 'ro');

    const error = await refusalOf(driver.remove({ pool, objectName: NAME, objectId }, NEVER));
    await device.close();

    expect(error.code).toBe('ObjectBusy');
    expect(await driver.remove({ pool, objectName: NAME, objectId }, NEVER)).toBe(true);
  });

  it('never removes an object that is not the one that was meant', async () => {
    const { driver, pool } = await setUp();
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    const error = await refusalOf(driver.remove({ pool, objectName: NAME, objectId: 'another' }, NEVER));

    expect(error.code).toBe('ObjectBusy');
    expect((await driver.find({ pool, objectName: NAME }, NEVER))?.objectId).toBe(objectId);
  });

  it('says before a removal what that would say, and changes nothing', async () => {
    const { driver, pool } = await setUp();
    const never = await driver.removable({ pool, objectName: NAME, objectId: null }, NEVER);
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);
    const { thin } = (await driver.pools(NEVER)).find(({ name }) => name === pool) ?? {};

    const idle = await driver.removable({ pool, objectName: NAME, objectId }, NEVER);
    const another = await refusalOf(driver.removable({ pool, objectName: NAME, objectId: 'another' }, NEVER));
    const { device } = await opened(driver, pool, NAME, 'ro');
    const busy = await refusalOf(driver.removable({ pool, objectName: NAME, objectId }, NEVER));
    await device.close();

    expect(never).toBeUndefined();
    expect(idle).toEqual({ thin });
    expect([another.code, busy.code]).toEqual(['ObjectBusy', 'ObjectBusy']);
    expect((await driver.find({ pool, objectName: NAME }, NEVER))?.objectId).toBe(objectId);
  });

  it('leaves every other object alone', async () => {
    const { driver, pool } = await setUp();
    await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);
    await driver.create({ pool, objectName: `${NAME}1`, sizeBytes: MIB }, NEVER);

    await driver.remove({ pool, objectName: NAME, objectId: null }, NEVER);

    expect(await driver.find({ pool, objectName: `${NAME}1` }, NEVER)).toBeDefined();
  });
};

const listing = (setUp: SetUp): void => {
  const nameOf = (n: number): string => `volume-11111111-1111-4111-8111-111111111111-create-${n}`;
  const list = async (driver: Driver, pool: string, after: string | null = null, limit = 100) =>
    driver.list({ pool, after, limit }, NEVER);

  it('lists what volmove has made with its identity, size and time, and nothing that others keep there', async () => {
    const { driver, pool, others } = await setUp();
    await others();
    const before = Date.now();
    const made = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    const { objects, more } = await list(driver, pool);

    expect(more).toBe(false);
    expect(objects).toMatchObject([{ objectName: NAME, objectId: made.objectId, sizeBytes: made.sizeBytes }]);
    const [{ madeAtMs } = { madeAtMs: null }] = objects;
    // its clock may be coarse; what counts is that nothing looks older than it is by more than that
    if (madeAtMs !== null) expect(madeAtMs).toBeGreaterThan(before - 5_000);
  });

  it('lists what others keep there apart, to be adopted, with nothing of volmove among it', async () => {
    const { driver, pool, others } = await setUp();
    const adoptable = await others();
    await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    const { objects } = await driver.list({ pool, after: null, limit: 100, what: 'others' }, NEVER);

    expect(objects.map(({ objectName }) => objectName)).toEqual(adoptable);
    for (const { objectName, objectId, sizeBytes } of objects)
      expect(await driver.find({ pool, objectName }, NEVER)).toEqual({ objectId, sizeBytes });
  });

  it('lists page by page in the order of the names, each object once', async () => {
    const { driver, pool } = await setUp();
    for (const n of [3, 1, 2]) await driver.create({ pool, objectName: nameOf(n), sizeBytes: MIB }, NEVER);

    const first = await list(driver, pool, null, 2);
    const second = await list(driver, pool, first.objects.at(-1)?.objectName ?? null, 2);

    expect([first.more, second.more]).toEqual([true, false]);
    expect([...first.objects, ...second.objects].map(({ objectName }) => objectName)).toEqual([1, 2, 3].map(nameOf));
  });

  it('lists no more what was removed, and calls a pool that is out of reach offline, never empty', async () => {
    const { driver, pool, takeAway } = await setUp();
    await driver.create({ pool, objectName: nameOf(1), sizeBytes: MIB }, NEVER);
    await driver.create({ pool, objectName: nameOf(2), sizeBytes: MIB }, NEVER);
    await driver.remove({ pool, objectName: nameOf(1), objectId: null }, NEVER);

    const left = await list(driver, pool);
    await takeAway();
    const error = await refusalOf(list(driver, pool));

    expect(left.objects.map(({ objectName }) => objectName)).toEqual([nameOf(2)]);
    expect(error.code).toBe('BackendOffline');
  });
};

const reachability = (setUp: SetUp): void => {
  it('takes the first calls to a new pool also when they come all at once', async () => {
    const { driver, pool, restarted } = await setUp();

    await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => driver.create({ pool, objectName: `new-${i}`, sizeBytes: MIB }, NEVER)),
    );

    expect((await driver.pools(NEVER))[0]?.state).toBe('up');
    expect((await (await restarted()).pools(NEVER))[0]?.state).toBe('up');
  });

  it('calls a pool that is out of reach offline, never an object in it missing, and loses nothing', async () => {
    const { driver, pool, takeAway, bringBack } = await setUp();
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);
    const object = { pool, objectName: NAME };

    await takeAway();
    const errors = [
      await refusalOf(driver.find(object, NEVER)),
      await refusalOf(driver.open(object, 'ro', NEVER)),
      await refusalOf(driver.remove({ ...object, objectId }, NEVER)),
      await refusalOf(driver.create({ ...object, sizeBytes: SIZE_BYTES }, NEVER)),
    ];
    const [away] = await driver.pools(NEVER);
    await bringBack();

    expect(errors.map((e) => e.code)).toEqual(Array.from({ length: 4 }, () => 'BackendOffline'));
    expect(away).toMatchObject({ name: pool, state: 'offline', reason: expect.stringMatching(/./) });
    expect((await driver.find(object, NEVER))?.objectId).toBe(objectId);
  });

  it('knows after a restart, too, that a pool which is out of reach is not a new one', async () => {
    const { driver, pool, takeAway, restarted } = await setUp();
    await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);
    await takeAway();

    const again = await restarted();

    expect((await refusalOf(again.find({ pool, objectName: NAME }, NEVER))).code).toBe('BackendOffline');
  });

  it('calls another pool in the same place offline, and touches nothing in it', async () => {
    const { driver, pool, replace } = await setUp();
    await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);
    await replace();

    const error = await refusalOf(driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER));

    expect(error.code).toBe('BackendOffline');
    expect((await driver.pools(NEVER))[0]?.state).toBe('offline');
  });

  it('has nothing to say against a backend that works', async () => {
    const { driver } = await setUp();

    expect(await driver.probe(NEVER)).toEqual([]);
  });

  it('reports what a pool has, and what was promised of it', async () => {
    const { driver, pool } = await setUp();
    const [before] = await driver.pools(NEVER);
    await driver.create({ pool, objectName: NAME, sizeBytes: SIZE_BYTES }, NEVER);

    const [after] = await driver.pools(NEVER);

    expect(after).toMatchObject({ name: pool, state: 'up', reason: null, poolId: before?.poolId });
    expect((after?.provisionedBytes ?? 0) - (before?.provisionedBytes ?? 0)).toBeGreaterThanOrEqual(SIZE_BYTES);
    expect(after?.freeBytes).toBeGreaterThan(0);
    expect(after?.freeBytes).toBeLessThanOrEqual(after?.totalBytes ?? 0);
  });
};
