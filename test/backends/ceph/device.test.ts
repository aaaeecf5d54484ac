import { expect, it, onTestFinished } from 'vitest';
import type { BlockDevice, Extent } from '../../../domain/block-device.ts';
import type { Child } from '../../../host-agent/children/child.ts';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { aDriver, describeCeph, type Faults, MIB, NEVER } from './rig.ts';

const NAME = 'volume-11111111-1111-4111-8111-111111111111-create-1';

const recorded = (): { readonly faults: Faults; readonly servers: Child[] } => {
  const servers: Child[] = [];
  return {
    servers,
    faults: {
      children: (real) => ({
        async start(command) {
          const child = await real.start(command);
          if (command.program === 'qemu-nbd') servers.push(child);
          return child;
        },
      }),
    },
  };
};

const open = async (driver: Driver, pool: string, mode: 'ro' | 'rw' = 'rw'): Promise<BlockDevice> => {
  const { device } = await driver.open({ pool, objectName: NAME }, mode, NEVER);
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= device.close());
  onTestFinished(close);
  return { ...device, close };
};

const extentsOf = async (device: BlockDevice): Promise<Extent[]> => {
  const all: Extent[] = [];
  for await (const extent of device.extents(0, device.sizeBytes)) all.push(extent);
  return all;
};

const writeOn = async (device: BlockDevice, fromBytes: number, untilBytes: number): Promise<void> => {
  for (let at = fromBytes; at < untilBytes; at += MIB) await device.write(at, Buffer.alloc(MIB, 0x5a));
  await device.flush();
};

describeCeph('an image that is open', (cluster) => {
  it('tells which of its objects are there, and what is not there is a hole that reads as zeroes', async () => {
    const { driver, pool } = await aDriver(cluster());
    await driver.create({ pool, objectName: NAME, sizeBytes: 64 * MIB }, NEVER);
    const device = await open(driver, pool);
    await device.write(9 * MIB, Buffer.alloc(4_096, 1));
    await device.flush();

    const source = await open(driver, pool, 'ro');
    const extents = await extentsOf(source);
    const hole = Buffer.alloc(MIB, 0xff);
    await source.read(20 * MIB, hole);

    expect(extents).toEqual([
      { offset: 0, lengthBytes: 8 * MIB, kind: 'hole' },
      { offset: 8 * MIB, lengthBytes: 4 * MIB, kind: 'data' },
      { offset: 12 * MIB, lengthBytes: 52 * MIB, kind: 'hole' },
    ]);
    expect(hole.every((byte) => byte === 0)).toBe(true);
  });

  it('gives space back for zeroes and for what nobody needs any more', async () => {
    const { driver, pool, real } = await aDriver(cluster());
    await driver.create({ pool, objectName: NAME, sizeBytes: 64 * MIB }, NEVER);
    const used = async (): Promise<number> =>
      JSON.parse(await cluster().rbd('du', `${real}/${NAME}`, '--format', 'json')).images[0].used_size;
    const device = await open(driver, pool);
    await writeOn(device, 0, 16 * MIB);
    const written = await used();

    await device.writeZeroes(0, 8 * MIB);
    await device.trim?.(8 * MIB, 8 * MIB);
    await device.flush();

    expect([written, await used()]).toEqual([16 * MIB, 0]);
    const content = Buffer.alloc(8 * MIB, 0xff);
    await device.read(0, content);
    expect(content.every((byte) => byte === 0)).toBe(true);
  });

  it('is served by a process that is gone when it was closed', async () => {
    const { faults, servers } = recorded();
    const { driver, pool } = await aDriver(cluster(), {}, faults);
    await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);
    const device = await open(driver, pool);

    await device.close();

    expect(servers.map((server) => server.isRunning())).toEqual([false]);
    expect((await servers[0]?.ended)?.exitCode).toBe(0);
  });

  it('is lost with the process that serves it, and can be opened and written again, and removed', async () => {
    const { faults, servers } = recorded();
    const { driver, pool } = await aDriver(cluster(), {}, faults);
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: 64 * MIB }, NEVER);
    const device = await open(driver, pool);
    await writeOn(device, 0, MIB);

    const writing = thrownBy(writeOn(device, MIB, 64 * MIB));
    servers[0]?.signal('SIGKILL');
    const error = await writing;
    await device.close();
    const again = await open(driver, pool);
    const kept = Buffer.alloc(MIB);
    await again.read(0, kept);
    await again.close();
    const removed = await driver.remove({ pool, objectName: NAME, objectId }, NEVER);

    expect(error.name).toBe('ConnectionLost');
    expect(error.message).toContain('qemu-nbd has ended');
    expect(kept.every((byte) => byte === 0x5a)).toBe(true);
    expect(removed).toBe(true);
  });

  it('says so when the cluster does not answer any more, and can be closed', async () => {
    const { faults, servers } = recorded();
    const { driver, pool } = await aDriver(cluster(), { timeout_seconds: 8 }, faults);
    await driver.create({ pool, objectName: NAME, sizeBytes: 64 * MIB }, NEVER);
    const device = await open(driver, pool);
    onTestFinished(() => cluster().thaw());
    cluster().freeze();

    const written = await refusalOf(device.write(0, Buffer.alloc(MIB)));
    const next = await refusalOf(device.flush());
    const found = await refusalOf(driver.find({ pool, objectName: NAME }, NEVER));
    await device.close();

    expect([written.code, next.code, found.code]).toEqual(['BackendOffline', 'BackendOffline', 'BackendOffline']);
    expect(servers.map((server) => server.isRunning())).toEqual([false]);
  });

  it('says that the pool is full when what is written waits for ever', async () => {
    const { driver, pool, real } = await aDriver(cluster(), { timeout_seconds: 8 });
    await driver.create({ pool, objectName: NAME, sizeBytes: 1024 * MIB }, NEVER);
    const device = await open(driver, pool);
    await cluster().ceph('osd', 'pool', 'set-quota', real, 'max_bytes', String(64 * MIB));
    await writeOn(device, 0, 80 * MIB);
    // the cluster counts now and then
    const isFull = async (): Promise<boolean> => (await cluster().ceph('health', 'detail')).includes('POOL_FULL');
    await expect.poll(isFull, { timeout: 150_000, interval: 500 }).toBe(true);

    const error = await thrownBy(writeOn(device, 80 * MIB, 96 * MIB));
    await device.close();
    const opened = await refusalOf(driver.open({ pool, objectName: NAME }, 'rw', NEVER));
    const made = await refusalOf(driver.create({ pool, objectName: `${NAME}1`, sizeBytes: MIB }, NEVER));
    const source = await refusalOf(driver.open({ pool, objectName: NAME }, 'ro', NEVER));

    expect(error.name).toBe('NoSpace');
    expect(error.message).toContain('quota');
    expect([opened.code, made.code, source.code]).toEqual(['NoSpace', 'NoSpace', 'NoSpace']);
    expect(await driver.find({ pool, objectName: `${NAME}1` }, NEVER)).toBeUndefined();
  });
});
