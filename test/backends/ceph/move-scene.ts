import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Child, Children } from '../../../host-agent/children/child.ts';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import type { BackendMove, BackendMoves, MoveState } from '../../../host-agent/drivers/moves.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import type { Cluster } from './cluster.ts';
import { aPool, driverFor, type Faults, MIB, NEVER } from './rig.ts';

export const SOURCE = 'volume-11111111-1111-4111-8111-111111111111-create-1';
export const DESTINATION = 'volume-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222-1';
/** An object of Ceph's has 4 MiB: the copy has many steps. */
export const SIZE_BYTES = 256 * MIB;
const STEP_BYTES = 4 * MIB;
const LOOK_EVERY_MS = 20;
/** No machine needs that. */
export const LONG_MS = 150_000;

export interface Scene {
  readonly cluster: Cluster;
  readonly driver: Driver;
  readonly moves: BackendMoves;
  readonly move: BackendMove;
  readonly a: string;
  readonly b: string;
  readonly digest: string;
  /** The children that were started, the last one last. */
  readonly children: readonly Child[];
  restarted(): Promise<BackendMoves>;
}

export const movesOf = (driver: Driver): BackendMoves => {
  if (!driver.moves) throw new Error('The driver makes no moves.');
  return driver.moves;
};

export const contentOf = async (driver: Driver, pool: string, objectName: string): Promise<string> => {
  const { device } = await driver.open({ pool, objectName }, 'ro', NEVER);
  try {
    const content = Buffer.alloc(device.sizeBytes);
    await device.read(0, content);
    return createHash('sha256').update(content).digest('hex');
  } finally {
    await device.close();
  }
};

const filled = async (driver: Driver): Promise<string> => {
  await driver.create({ pool: 'a', objectName: SOURCE, sizeBytes: SIZE_BYTES }, NEVER);
  const { device } = await driver.open({ pool: 'a', objectName: SOURCE }, 'rw', NEVER);
  for (let at = 0; at < SIZE_BYTES; at += STEP_BYTES) await device.write(at, Buffer.alloc(65_536, at / STEP_BYTES + 1));
  await device.flush();
  await device.close();
  return contentOf(driver, 'a', SOURCE);
};

/** Two pools of one cluster, a volume with data in the first, and an agent's client that may use these two and nothing else. */
export const scene = async (cluster: Cluster, faults: (children: Child[]) => Faults = () => ({})): Promise<Scene> => {
  const dataDir = await tempDir();
  const [a, b] = [await aPool(cluster), await aPool(cluster)];
  const keyring = await cluster.client(`mover-${a}`, {
    mon: 'profile rbd',
    osd: `profile rbd pool=${a}, profile rbd pool=${b}`,
  });
  const conf = join(dataDir, 'ceph.conf');
  // one object at a time: so long takes a copy that it is seen on its way
  await writeFile(conf, `${await readFile(cluster.conf, 'utf8')}\n[client]\nrbd concurrent management ops = 1\n`);
  const settings = {
    conf,
    client: `mover-${a}`,
    keyring,
    pools: [
      { name: 'a', pool: a },
      { name: 'b', pool: b },
    ],
  };
  const children: Child[] = [];
  const recording = (real: Children): Children => ({
    async start(command) {
      const child = await real.start(command);
      if (command.args.includes('execute')) children.push(child);
      return child;
    },
  });
  const { children: broken = (real: Children) => real, ...others } = faults(children);
  const driver = await driverFor(settings, dataDir, { ...others, children: (real) => broken(recording(real)) });
  const digest = await filled(driver);
  const source = await driver.find({ pool: 'a', objectName: SOURCE }, NEVER);
  if (!source) throw new Error('There is no source.');
  return {
    cluster,
    driver,
    moves: movesOf(driver),
    a,
    b,
    digest,
    children,
    move: {
      source: { pool: 'a', objectName: SOURCE, objectId: source.objectId },
      destination: { pool: 'b', objectName: DESTINATION },
      sizeBytes: SIZE_BYTES,
    },
    restarted: async () => movesOf(await driverFor(settings, dataDir)),
  };
};

export const until = async (
  moves: BackendMoves,
  move: BackendMove,
  state: MoveState['state'],
): Promise<{ last: MoveState; percents: number[] }> => {
  const percents: number[] = [];
  const deadlineMs = performance.now() + LONG_MS;
  while (performance.now() < deadlineMs) {
    const last = await moves.poll(move, NEVER);
    if (last.state === 'running' && last.percent !== null) percents.push(last.percent);
    if (last.state === state) return { last, percents };
    if (last.state === 'failed') throw new Error(last.reason);
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`It was never ${state}.`);
};

/** It hangs in mid-copy, as soon as it has said how far it is. */
export const frozenExecution = (): Faults => ({
  children: (real) => ({
    async start(command) {
      let freeze = (): void => undefined;
      const child = await real.start({
        ...command,
        onStderr: (text) => {
          if (/[1-9]\d?% complete/.test(text)) freeze();
          command.onStderr?.(text);
        },
      });
      if (command.args.includes('execute')) freeze = () => child.signal('SIGSTOP');
      return child;
    },
  }),
});

/** Resolves when it hangs. */
export const untilMidCopy = async ({ cluster, moves, move, b }: Scene): Promise<MoveState> => {
  const deadlineMs = performance.now() + LONG_MS;
  while (performance.now() < deadlineMs) {
    const state = await moves.poll(move, NEVER);
    if (state.state === 'running' && state.percent !== null && state.percent > 0) {
      const status = JSON.parse(await cluster.rbd('status', `${b}/${DESTINATION}`, '--format', 'json'));
      expect(status.migration.state).toBe('executing');
      expect(status.watchers).toHaveLength(1);
      return state;
    }
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error('It was never in mid-copy.');
};

export const namesIn = async ({ cluster }: Scene, pool: string): Promise<unknown> =>
  JSON.parse(await cluster.rbd('ls', pool, '--format', 'json'));
export const trashOf = async ({ cluster }: Scene, pool: string): Promise<unknown> =>
  JSON.parse(await cluster.rbd('trash', 'ls', '--all', pool, '--format', 'json'));

/** The source as it was before, and nothing anywhere else. */
export const expectUntouched = async (one: Scene): Promise<void> => {
  const { driver, move, digest } = one;
  expect(await driver.find({ pool: 'a', objectName: SOURCE }, NEVER)).toEqual({
    objectId: move.source.objectId,
    sizeBytes: SIZE_BYTES,
  });
  expect(await contentOf(driver, 'a', SOURCE)).toBe(digest);
  expect([await namesIn(one, one.a), await namesIn(one, one.b)]).toEqual([[SOURCE], []]);
  expect([await trashOf(one, one.a), await trashOf(one, one.b)]).toEqual([[], []]);
};
