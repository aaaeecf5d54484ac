import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import type { Tool } from '../../../host-agent/tools/run-tool.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import type { Cluster } from './cluster.ts';
import { aDriver, aPool, describeCeph, driverFor, type Faults, MIB, NEVER, untilOffline, untilUp } from './rig.ts';

const NAME = 'volume-11111111-1111-4111-8111-111111111111-create-1';

/** The first answer of a tool with that argument never comes, and what it was to do has happened. */
const losing = (argument: string): Faults => {
  let lose = true;
  const isIt = ({ args }: Pick<Tool, 'args'>): boolean => lose && args.includes(argument);
  return {
    runTool: (real) => async (tool, signal) => {
      const end = await real(tool, signal);
      if (!isIt(tool)) return end;
      lose = false;
      throw new Error('the answer was lost');
    },
    children: (real) => ({
      async start(command) {
        const child = await real.start(command);
        if (!isIt(command)) return child;
        lose = false;
        const ended = child.ended.then(() => {
          throw new Error('the answer was lost');
        });
        ended.catch(() => undefined);
        return { ...child, ended };
      },
    }),
  };
};

const write = async (driver: Driver, pool: string, objectName = NAME): Promise<void> => {
  const { device } = await driver.open({ pool, objectName }, 'rw', NEVER);
  await device.write(0, Buffer.from('data'));
  await device.flush();
  await device.close();
};

describeCeph('the rbd driver', (cluster) => {
  it('finds what it has made when the answer was lost, and does not call it zero', async () => {
    const { driver, pool } = await aDriver(cluster(), {}, losing('create'));
    const request = { pool, objectName: NAME, sizeBytes: MIB };

    await expect(driver.create(request, NEVER)).rejects.toThrow('lost');
    const made = await driver.create(request, NEVER);

    expect(made).toMatchObject({ sizeBytes: MIB, zero: false });
    expect(made.objectId).toBe((await driver.find({ pool, objectName: NAME }, NEVER))?.objectId);
  });

  it('lists what an interrupted create has left, to be cleaned up', async () => {
    const { driver, pool } = await aDriver(cluster(), {}, losing('create'));
    await expect(driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER)).rejects.toThrow('lost');

    const { objects } = await driver.list({ pool, after: null, limit: 10 }, NEVER);

    expect(objects).toMatchObject([{ objectName: NAME, sizeBytes: MIB }]);
  });

  it('answers a removal whose answer was lost with: nothing was there', async () => {
    const { driver, pool } = await aDriver(cluster(), {}, losing('rm'));
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);

    await expect(driver.remove({ pool, objectName: NAME, objectId }, NEVER)).rejects.toThrow('lost');

    expect(await driver.remove({ pool, objectName: NAME, objectId }, NEVER)).toBe(false);
  });

  it('never takes an image of others over that has its name and data, nor lists it as its own', async () => {
    const { driver, pool, real } = await aDriver(cluster());
    const first = `${NAME}1`;
    await driver.create({ pool, objectName: first, sizeBytes: MIB }, NEVER);
    await write(driver, pool, first);
    // a copy has the metadata of what it was copied from
    await cluster().rbd('cp', '--no-progress', `${real}/${first}`, `${real}/${NAME}`);

    const error = await refusalOf(driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER));
    const { objects } = await driver.list({ pool, after: null, limit: 10 }, NEVER);

    expect(error.code).toBe('NameTaken');
    expect(objects.map(({ objectName }) => objectName)).toEqual([first]);
  });

  it('removes nothing that has snapshots or clones, and names them', async () => {
    const { driver, pool, real } = await aDriver(cluster());
    const { objectId } = await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);
    await cluster().rbd('snap', 'create', '--no-progress', `${real}/${NAME}@monday`);
    await cluster().rbd('snap', 'protect', `${real}/${NAME}@monday`);
    await cluster().rbd('clone', `${real}/${NAME}@monday`, `${real}/child`);

    const errors = [
      await refusalOf(driver.remove({ pool, objectName: NAME, objectId }, NEVER)),
      await refusalOf(driver.removable({ pool, objectName: NAME, objectId }, NEVER)),
    ];

    for (const error of errors) {
      expect(error.code).toBe('HasDependents');
      expect(error.message).toContain('monday');
      expect(error.message).toContain(`${real}/child`);
    }
  });

  it('lists an image that a client has open, and one with snapshots, as ones that cannot be adopted', async () => {
    const { driver, pool, real } = await aDriver(cluster());
    for (const name of ['guest', 'idle']) await cluster().rbd('create', `${real}/${name}`, '--size', '1M');
    await cluster().rbd('snap', 'create', '--no-progress', `${real}/idle@kept`);
    const { device } = await driver.open({ pool, objectName: 'guest' }, 'rw', NEVER);

    const { objects } = await driver.list({ pool, what: 'others', after: null, limit: 10 }, NEVER);
    await device.close();

    expect(objects.map(({ objectName, unfit }) => [objectName, unfit])).toEqual([
      ['guest', expect.stringContaining('has it open')],
      ['idle', 'it has the snapshots kept'],
    ]);
  });

  it('keeps the namespaces of a pool apart', async () => {
    const dataDir = await tempDir();
    const real = await aPool(cluster());
    for (const name of ['one', 'two']) await cluster().rbd('namespace', 'create', `${real}/${name}`);
    const pools = ['one', 'two'].map((name) => ({ name, pool: real, namespace: name }));
    const driver = await driverFor({ conf: cluster().conf, pools }, dataDir);

    await driver.create({ pool: 'one', objectName: NAME, sizeBytes: MIB }, NEVER);
    await write(driver, 'one');

    expect(await driver.find({ pool: 'two', objectName: NAME }, NEVER)).toBeUndefined();
    const reports = await untilUp(driver);
    expect(reports.map(({ state, systemId }) => [state, systemId])).toEqual([
      ['up', `ceph:${cluster().fsid}`],
      ['up', `ceph:${cluster().fsid}`],
    ]);
    expect(new Set(reports.map(({ poolId }) => poolId)).size).toBe(2);
  });

  it('names the packages of the programs that are missing', async () => {
    const { driver } = await aDriver(cluster(), {}, { path: '/nonexistent' });

    const problems = (await driver.probe(NEVER)).map(({ problem }) => problem).join('\n');

    expect(problems).toMatch(/program rbd \(package ceph-common\)/);
    expect(problems).toMatch(/program ceph \(package ceph-common\)/);
    expect(problems).toMatch(/program qemu-nbd \(package qemu-utils\)/);
  });

  it('says which of its pools there is not', async () => {
    const real = await aPool(cluster());
    const pools = [
      { name: 'here', pool: real },
      { name: 'nowhere', pool: 'no-such-pool' },
      { name: 'no-namespace', pool: real, namespace: 'none' },
    ];
    const driver = await driverFor({ conf: cluster().conf, pools }, await tempDir());

    const problems = await driver.probe(NEVER);

    expect(problems.map(({ pool }) => pool)).toEqual(['nowhere', 'no-namespace']);
    expect(problems[0]?.problem).toContain('has no pool no-such-pool');
  });

  it('calls its pools offline while the cluster is silent, and makes nothing then', async () => {
    const { driver, pool, dataDir, real } = await aDriver(cluster());
    const [before] = await untilUp(driver);
    const pools = [{ name: pool, pool: real }];
    const keyring = join(cluster().dir, 'admin.keyring');
    const impatient = await driverFor({ conf: cluster().conf, keyring, pools, timeout_seconds: 3 }, dataDir);
    onTestFinished(() => cluster().thaw());
    cluster().freeze();

    const [after] = await untilOffline(impatient, /answer|timed out/);
    const error = await refusalOf(impatient.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER));
    cluster().thaw();

    expect(before?.state).toBe('up');
    expect(after).toMatchObject({ state: 'offline', poolId: before?.poolId });
    expect(error.code).toBe('BackendOffline');
    expect(await untilUp(driver)).toMatchObject([{ poolId: before?.poolId }]);
  });
});

const clientOf = async (cluster: Cluster, id: string, caps: { mon: string; osd: string }, real: string) => {
  const keyring = await cluster.client(id, caps);
  const pools = [{ name: 'main', pool: real }];
  return driverFor({ conf: cluster.conf, client: id, keyring, pools }, await tempDir());
};

describeCeph('a client of the cluster', (cluster) => {
  it('that the cluster does not know is not let in', async () => {
    const pools = [{ name: 'main', pool: await aPool(cluster()) }];
    const keyring = await cluster().client('known', { mon: 'profile rbd', osd: 'profile rbd' });
    const driver = await driverFor({ conf: cluster().conf, client: 'stranger', keyring, pools }, await tempDir());

    const error = await refusalOf(driver.find({ pool: 'main', objectName: NAME }, NEVER));

    expect(error.code).toBe('NotPermitted');
    expect(await driver.probe(NEVER)).toMatchObject([{ pool: null, problem: expect.stringContaining('keyring') }]);
  });

  it('that may only read makes and opens nothing, and is told what it lacks', async () => {
    const real = await aPool(cluster());
    await cluster().rbd('create', `${real}/there`, '--size', '1M');
    const caps = { mon: 'profile rbd', osd: `profile rbd-read-only pool=${real}` };
    const driver = await clientOf(cluster(), 'reader', caps, real);

    const found = await driver.find({ pool: 'main', objectName: 'there' }, NEVER);
    const made = await refusalOf(driver.create({ pool: 'main', objectName: NAME, sizeBytes: MIB }, NEVER));
    const opened = await refusalOf(driver.open({ pool: 'main', objectName: 'there' }, 'ro', NEVER));
    const removed = await refusalOf(driver.remove({ pool: 'main', objectName: 'there', objectId: null }, NEVER));

    expect(found?.sizeBytes).toBe(MIB);
    expect([made.code, opened.code, removed.code]).toEqual(['NotPermitted', 'NotPermitted', 'NotPermitted']);
    expect(opened.message).toContain("'profile rbd'");
  });

  it('that may use another pool is refused in this one', async () => {
    const [real, other] = [await aPool(cluster()), await aPool(cluster())];
    const caps = { mon: 'profile rbd', osd: `profile rbd pool=${other}` };
    const driver = await clientOf(cluster(), 'elsewhere', caps, real);

    const error = await refusalOf(driver.find({ pool: 'main', objectName: NAME }, NEVER));

    expect(error.code).toBe('NotPermitted');
    expect(await driver.probe(NEVER)).toMatchObject([{ pool: 'main' }]);
  });

  it('whose keyring others may read is used for nothing', async () => {
    const { driver, pool, dataDir, real } = await aDriver(cluster());
    const keyring = await cluster().client('open', { mon: 'profile rbd', osd: 'profile rbd' });
    const pools = [{ name: pool, pool: real }];
    const loose = await driverFor({ conf: cluster().conf, client: 'open', keyring, pools }, dataDir);
    const missing = await driverFor({ conf: cluster().conf, client: 'open', keyring: '/none', pools }, dataDir);
    await chmod(keyring, 0o644);

    const errors = [
      await refusalOf(loose.find({ pool, objectName: NAME }, NEVER)),
      await refusalOf(missing.find({ pool, objectName: NAME }, NEVER)),
    ];

    expect(await driver.find({ pool, objectName: NAME }, NEVER)).toBeUndefined();
    expect(errors.map(({ code }) => code)).toEqual(['NotPermitted', 'NotPermitted']);
    expect(errors[0]?.message).toContain('chmod 600');
  });

  it('speaks encrypted when that is required', async () => {
    const { driver, pool } = await aDriver(cluster(), { require_encryption: true });

    expect(await driver.probe(NEVER)).toEqual([]);
    await driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER);
    await write(driver, pool);
    expect((await driver.find({ pool, objectName: NAME }, NEVER))?.sizeBytes).toBe(MIB);
  });

  it('does not take the figures of a cluster without a manager for true', async () => {
    const { driver, pool } = await aDriver(cluster());
    await untilUp(driver);
    await cluster().endManager();

    const reports = await untilOffline(driver, /no active manager/);

    expect(reports).toMatchObject([{ state: 'offline', freeBytes: 0 }]);
    expect(await driver.find({ pool, objectName: NAME }, NEVER)).toBeUndefined();
  });
});

describeCeph(
  'a cluster that cannot encrypt',
  (cluster) => {
    it('is not used by a backend that requires it', async () => {
      const settings = { require_encryption: true, timeout_seconds: 3 };
      const { driver, pool, real } = await aDriver(cluster(), settings);
      const keyring = join(cluster().dir, 'admin.keyring');
      const pools = [{ name: 'main', pool: real }];
      const plain = await driverFor({ conf: cluster().conf, keyring, pools }, await tempDir());

      const error = await refusalOf(driver.create({ pool, objectName: NAME, sizeBytes: MIB }, NEVER));

      expect(['NotPermitted', 'BackendOffline']).toContain(error.code);
      expect(error.message).toContain('require_encryption');
      expect(await plain.find({ pool: 'main', objectName: NAME }, NEVER)).toBeUndefined();
    });
  },
  { modes: 'crc' },
);
