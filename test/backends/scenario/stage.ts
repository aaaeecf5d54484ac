import { expect } from 'vitest';
import type { MigrationBody, Rig } from '../../system/rig.ts';
import type { Recorder } from './events.ts';
import { eventually } from './eventually.ts';
import { hasEnded } from './mid-copy.ts';
import type { Pool } from './pools.ts';

/** Real agents and an embedded cloud over real pools, and what a scenario does and sees there. */
export interface Parts {
  readonly rig: Rig;
  readonly events: Recorder;
  readonly pools: readonly Pool[];
}

export type Stage = ReturnType<typeof stageOf>;

const requireStatus = (what: string, { status, body }: { status: number; body: unknown }, wanted: number): void => {
  if (status !== wanted) throw new Error(`${what} was answered ${status}: ${JSON.stringify(body)}`);
};

export const stageOf = ({ rig, events, pools }: Parts) => {
  const poolAt = (place: string): Pool => {
    const pool = pools.find(({ at }) => at === place);
    if (!pool) throw new TypeError(`no pool of the tests is at ${place}`);
    return pool;
  };

  /** What the pool has of the volume: one object, or none. */
  const objectsAt = async (place: string, volume: string): Promise<string[]> =>
    (await poolAt(place).names()).filter((name) => name.includes(`volume-${volume}-`));

  const contentAt = async (place: string, volume: string): Promise<string> => {
    const [name = '', ...more] = await objectsAt(place, volume);
    expect(more).toEqual([]);
    return poolAt(place).content(name);
  };

  /** False: it is in error. */
  const isAvailable = async (volume: string): Promise<boolean> => {
    const { status } = await eventually(
      `volume ${volume} is there`,
      () => rig.volume(volume),
      (now) => now.status !== 'creating' && now,
    );
    return status === 'available';
  };

  return {
    rig,
    events,
    pools,
    poolAt,
    contentAt,
    objectsAt,
    isAvailable,

    /** The agents have told of their pools. */
    ready: () =>
      eventually(
        'every pool is known',
        () => rig.call<{ pools: { name: string }[] }>('GET', '/scheduler-stats/get_pools'),
        ({ body }) => pools.every(({ at }) => body.pools.some(({ name }) => name === at)),
      ),

    /** A volume of 1 GiB, with something in it. */
    async create(place: string): Promise<string> {
      const asked = { volume: { size: 1 }, 'OS-SCH-HNT:scheduler_hints': { volmove_pool: place } };
      const reply = await rig.call<{ volume: { id: string } }>('POST', '/volumes', asked);
      requireStatus(`a volume at ${place}`, reply, 202);
      const { id } = reply.body.volume;
      expect(await isAvailable(id)).toBe(true);
      const [name = ''] = await objectsAt(place, id);
      await poolAt(place).fill(name);
      return id;
    },

    isGone: (volume: string, place: string) =>
      eventually(
        `nothing is left of volume ${volume}`,
        () => objectsAt(place, volume),
        (left) => left.length === 0,
      ),

    migrate: (volume: string, destination: string, options: object): Promise<string> =>
      rig.migrate(volume, 'unused', { destination, ...options }),

    cancel: (migration: string) => rig.call('POST', `/migrations/${migration}/action`, { cancel: {} }),

    /** Ended, and nothing left to clean up. */
    ended: (migration: string): Promise<MigrationBody> =>
      eventually(
        `migration ${migration} ends`,
        () => rig.migration(migration),
        (now) => hasEnded(now) && ['none', 'done'].includes(now.cleanup.state) && now,
      ),

    /** The volume is whole, in one place, and nothing of it is in the other one. */
    async expectAt(place: string, volume: string, content: string, other: string): Promise<void> {
      expect((await rig.volume(volume))['os-vol-host-attr:host']).toBe(place);
      expect(await contentAt(place, volume)).toBe(content);
      expect(await objectsAt(other, volume)).toEqual([]);
    },
  };
};
