import { beforeAll, describe, expect, it } from 'vitest';
import type { VolumeBody } from '../../system/rig.ts';
import { expectTold } from './events.ts';
import type { Stage } from './stage.ts';
import type { Migration, Way } from './ways.ts';

/** Every pairing of pools with every ending, locked and unlocked, by the public API alone. */

export interface Pairing {
  readonly from: string;
  readonly to: string;
  readonly way: Way;
  /** Of a success, beside all the rest. */
  readonly also?: (stage: Stage, volume: string) => Promise<void>;
}

export type Pairings = Readonly<Record<string, Pairing>>;

interface Promised {
  readonly state: 'succeeded' | 'failed';
  readonly code?: string;
  /** What an attach is answered in the middle. */
  readonly attach?: 202 | 400;
}

const SUCCESS: Promised = { state: 'succeeded' };
const CANCELLED: Promised = { state: 'failed', code: 'Cancelled' };
const GIVES_WAY: Promised = { state: 'failed', code: 'AbortedByAttach', attach: 202 };
const HOLDS_OUT: Promised = { state: 'succeeded', attach: 400 };

/** A lock keeps a guest away, and so does a backend that moves the volume by itself; a copy without a lock gives way. */
const PROMISED = {
  'is let be': { copying: [SUCCESS, SUCCESS], moving: [SUCCESS, SUCCESS] },
  'is cancelled in the middle': { copying: [CANCELLED, CANCELLED], moving: [CANCELLED, CANCELLED] },
  'is met by an attach in the middle': { copying: [GIVES_WAY, HOLDS_OUT], moving: [HOLDS_OUT, HOLDS_OUT] },
  'has its agents killed in the middle': { copying: [SUCCESS, SUCCESS], moving: [SUCCESS, SUCCESS] },
} as const satisfies Record<string, Record<Way['phase'], readonly [unlocked: Promised, locked: Promised]>>;

type Ending = keyof typeof PROMISED;
const KILLED = 'has its agents killed in the middle';
const ALONE = (Object.keys(PROMISED) as Ending[]).filter((ending) => ending !== KILLED);
const LOCKS = [false, true] as const;

/**
 * A lock is the control plane's business alone. Where one slow processor has to do it all, each pairing meets the lock where it makes a
 * difference, and each ending meets it with one pairing or another; EVERY_CASE=1 tries it with all of them there, too.
 */
const locksOf = (ending: Ending, pairing: number, few: boolean): readonly boolean[] => {
  if (!few || process.env.EVERY_CASE === '1' || ending === 'is met by an attach in the middle') return LOCKS;
  if (ending === 'is let be') return [false];
  if (ending === 'is cancelled in the middle') return [true];
  return [pairing % 2 === 1];
};

interface Begun extends Migration {
  readonly content: string;
}

const named = (locked: boolean): string => (locked ? 'locked' : 'not locked');

const begin = async (stage: Stage, { from, to, way }: Pairing, locked: boolean): Promise<Begun> => {
  const volume = await stage.create(from);
  const content = await stage.contentAt(from, volume);
  const id = await stage.migrate(volume, to, { lock: locked, ...way.held });
  await way.inTheMiddle(stage, { id, volume });
  expect((await stage.rig.volume(volume)).status).toBe(locked ? 'maintenance' : 'available');
  return { id, volume, content };
};

const strike = async (stage: Stage, way: Way, begun: Begun, ending: Ending, { attach }: Promised): Promise<void> => {
  switch (ending) {
    case 'is let be':
      return way.letGo(stage, begun);
    case 'is cancelled in the middle':
      expect((await stage.cancel(begun.id)).status).toBe(202);
      return;
    case 'is met by an attach in the middle': {
      const reserved = await stage.rig.action(begun.volume, { 'os-reserve': null });
      expect(reserved, JSON.stringify(reserved.body)).toMatchObject({ status: attach });
      if (attach === 400) await way.letGo(stage, begun);
      return;
    }
    case KILLED:
      return;
  }
};

const expectPromised = async (
  stage: Stage,
  { from, to, way, also }: Pairing,
  begun: Begun,
  { state, code, attach }: Promised,
  locked: boolean,
): Promise<void> => {
  const { id, volume, content } = begun;
  const ended = await stage.ended(id);
  expect(ended).toMatchObject({ state, reason: code === undefined ? null : { code } });
  if (state === 'succeeded') {
    await stage.expectAt(to, volume, content, from);
    await also?.(stage, volume);
  } else await stage.expectAt(from, volume, content, to);
  if (state === 'succeeded' && way.phase === 'copying') {
    expect(ended.digests).toMatchObject({ source: expect.any(String) });
    expect(ended.digests?.source).toBe(ended.digests?.destination);
  }
  expect((await stage.rig.volume(volume)).status).toBe(attach === 202 ? 'attaching' : 'available');
  await expectTold(stage.events, ended, { volume, from, to, locked, phase: way.phase });
};

const killedOf = ({ pairings, few = false }: Pick<Matrix, 'pairings' | 'few'>) =>
  Object.entries(pairings).flatMap(([what, pairing], i) =>
    locksOf(KILLED, i, few).map((locked) => ({ what, pairing, locked, lock: named(locked) })),
  );

/** All of them are in their middle when the agents are killed, one after the other, and started again. */
const killedTogether = (matrix: Matrix): void => {
  const { stage, hosts, atOnce = 4 } = matrix;
  const begun = new Map<string, PromiseSettledResult<Begun>>();
  const key = (what: string, locked: boolean): string => `${what} ${String(locked)}`;

  beforeAll(async () => {
    const left = killedOf(matrix);
    const beginSome = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift()) {
        const [result] = await Promise.allSettled([begin(stage(), next.pairing, next.locked)]);
        begun.set(key(next.what, next.locked), result);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, beginSome));
    for (const host of hosts) {
      await stage().rig.kill(host);
      await stage().rig.start(host);
    }
  });

  it.concurrent.each(killedOf(matrix))('$what, $lock', async ({ what, pairing, locked }) => {
    const result = begun.get(key(what, locked));
    if (result?.status !== 'fulfilled') throw result?.reason;
    await pairing.way.letGo(stage(), result.value);
    const { phase } = pairing.way;
    await expectPromised(stage(), pairing, result.value, PROMISED[KILLED][phase][locked ? 1 : 0], locked);
  });
};

export interface Matrix {
  readonly stage: () => Stage;
  readonly pairings: Pairings;
  readonly hosts: readonly string[];
  /** So many are begun at once where they wait for each other. */
  readonly atOnce?: number;
  /** Not every ending with every pairing both locked and not. */
  readonly few?: boolean;
}

/** Whatever became of their migrations: each volume has one object, where it lives, and the service knows of nothing else. */
const nothingIsLeft = async ({ rig, pools }: Stage): Promise<void> => {
  const lying = await Promise.all(
    pools.map(async (pool) => (await pool.names()).flatMap(volumeIn).map((id) => ({ id, at: pool.at }))),
  );
  const { body } = await rig.call<{ volumes: VolumeBody[] }>('GET', '/volumes/detail?limit=1000');
  const living = body.volumes.map((volume) => ({ id: volume.id, at: volume['os-vol-host-attr:host'] }));
  const inOrder = (all: readonly { id: string; at: string | null }[]) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  expect(inOrder(lying.flat())).toEqual(inOrder(living));
  const scanned = await rig.call<{ leftovers: object[] }>('POST', '/cleanup/scan', { scan: {} });
  expect(scanned.body.leftovers).toEqual([]);
};

const volumeIn = (name: string): string[] => {
  const id = /^volume-([0-9a-f-]{36})-/.exec(name)?.[1];
  return id === undefined ? [] : [id];
};

/** One end of each, told once, whatever happened meanwhile. */
const eachEndIsToldOnce = async (stage: Stage): Promise<void> => {
  const { body } = await stage.rig.call<{ migrations: { id: string }[] }>('GET', '/migrations?limit=1000');
  for (const { id } of body.migrations) {
    const told = (await stage.events.of(id)).map(({ detail }) => detail.event_type);
    expect(told.filter((type) => type === 'volume.migrate.start' || type === 'volume.migrate.end').toSorted()).toEqual([
      'volume.migrate.end',
      'volume.migrate.start',
    ]);
  }
};

export const describeMatrix = (matrix: Matrix): void => {
  const { stage, pairings, few = false } = matrix;
  const all = Object.entries(pairings).map(([what, pairing], i) => ({ what, pairing, i }));

  describe.each(all)('$what', ({ pairing, i }) => {
    const cases = ALONE.flatMap((ending) =>
      locksOf(ending, i, few).map((locked) => ({ ending, locked, lock: named(locked) })),
    );

    it.concurrent.each(cases)('$lock, $ending', async ({ ending, locked }) => {
      const promised: Promised = PROMISED[ending][pairing.way.phase][locked ? 1 : 0];
      const begun = await begin(stage(), pairing, locked);
      await strike(stage(), pairing.way, begun, ending, promised);
      await expectPromised(stage(), pairing, begun, promised, locked);
    });
  });

  describe(KILLED, () => killedTogether(matrix));

  describe('afterwards', () => {
    it('nothing is left in any pool', () => nothingIsLeft(stage()));
    it('subscribers have heard one start and one end of each', () => eachEndIsToldOnce(stage()));
  });
};
