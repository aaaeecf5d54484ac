import type { Volume } from '../../../domain/volume/volume.ts';
import type { Stored } from '../../../store/records.ts';
import { VOLUME_ID } from '../factories.ts';
import type { Accuse } from './check-writes.ts';
import type { Sim } from './sim.ts';
import type { Turn } from './turns.ts';
import { type BackendObject, type Content, digestOf, NOTHING, type World } from './world.ts';

/** What no agent may do to the objects, and what the volumes must hold. */

/** `serving <migration>.<run>.<attempt>` of an agent's thread, and what it is about to do to which object. */
const SERVING = /serving (\S+)\.(\d+)\.(\d+)$/;
const WRITES = /^(?:writes|zeroes) chunk \d of (\S+)$/;
const READS_BACK = /^reads back chunk \d of (\S+)$/;

export interface StorageChecks {
  /** Looks at a turn that takes effect now. */
  readonly onTurn: (turn: Turn) => void;
  readonly onWrite: (before: Stored | undefined, after: Stored | undefined) => void;
  readonly broken: () => string | undefined;
  /** Somebody gives up what the guest has written since a source was left; who dies over it may yet have done so. */
  readonly whileDiscarding: <T>(restore: () => Promise<T>) => Promise<T>;
}

export const createStorageChecks = (sim: Sim, accuse: Accuse): StorageChecks => {
  const { world, table } = sim;
  /** By object, the highest generation that has written to it. */
  const generations = new Map<string, readonly [run: number, attempt: number]>();
  const readBack = new Set<string>();
  /** What each source held when its volume left it. */
  const left = new Map<string, Content>();
  /** Nobody writes to the other volumes: they hold what they held at the beginning, or nothing when they were made since. */
  const untouched = new Map(
    table.peek.volumes().map(({ id, location }): [string, Content | undefined] => {
      const object = world.objects.get(location?.objectName ?? '');
      return [id, object && [...object.content]];
    }),
  );
  let discarding = 0;

  /** Exports of a run are opened again for one repair alone. */
  const isOpenAgain = (name: string): boolean =>
    [...world.hosts.values()].some((host) => [...host.exports.values()].some((e) => e.objectName === name && !e.asked));

  const onServed = (name: string, run: number, attempt: number): void => {
    if (readBack.has(name) && !isOpenAgain(name)) accuse(`${name} was sealed, and ${run}.${attempt} writes to it`);
    const [highestRun, highest] = generations.get(name) ?? [0, 0];
    if (run < highestRun || (run === highestRun && attempt < highest))
      accuse(`two writers: ${run}.${attempt} writes to ${name} after ${highestRun}.${highest}`);
    else generations.set(name, [run, attempt]);
    const lives = table.peek.volumes().some(({ location }) => location?.objectName === name);
    if (lives) accuse(`a copy writes to ${name}, which a volume lives on`);
  };

  const checkRestore = (was: Volume, is: Volume): void => {
    const name = is.location?.objectName ?? '';
    const then = left.get(name);
    const isBack = was.retained.some((r) => r.kind === 'source' && r.object.objectName === name);
    if (!isBack || !then || is.id !== VOLUME_ID) return;
    if (discarding === 0 && then.join() !== world.truth.join())
      accuse('a restore gives up what the guest has written, and nobody has asked for that');
    [world.truth[0], world.truth[1]] = then;
  };

  return {
    async whileDiscarding(restore) {
      discarding += 1;
      try {
        return await restore();
      } finally {
        discarding -= 1;
      }
    },
    onTurn({ thread, label }) {
      const back = READS_BACK.exec(label)?.[1];
      if (back !== undefined) readBack.add(back);
      const written = WRITES.exec(label)?.[1];
      const serving = written === undefined ? undefined : SERVING.exec(thread.name);
      if (written !== undefined && serving) onServed(written, Number(serving[2]), Number(serving[3]));
    },
    onWrite(before, after) {
      if (!before || !after || after.sk !== 'VOLUME') return;
      const was = before.data as Volume;
      const is = after.data as Volume;
      if (was.location && is.location && was.location.objectName !== is.location.objectName) checkRestore(was, is);
      // the volume is back on it, and its guest may write
      if (is.location) left.delete(is.location.objectName);
      for (const { object, kind } of is.retained) {
        const held = world.objects.get(object.objectName);
        if (kind === 'source' && held && !left.has(object.objectName)) left.set(object.objectName, [...held.content]);
      }
    },
    broken: () => {
      const lived = table.peek.volumes().flatMap(({ location }) => (location ? [location.objectName] : []));
      const twice = lived.find((name, at) => lived.indexOf(name) !== at);
      if (twice !== undefined) return `two volumes live on ${twice}`;
      for (const volume of table.peek.volumes()) {
        const broken = brokenVolume(sim, volume, left, untouched.get(volume.id));
        if (broken !== undefined) return broken;
      }
      return undefined;
    },
  };
};

/** While the backend moves it by itself, and until its new place is on record; a guest that writes to it then is told that it is not there. */
const hiddenByItsMove = (
  { ownMoves, objects }: World,
  { location, claim }: Pick<Volume, 'location' | 'claim'>,
): BackendObject | undefined =>
  claim?.move && claim.phase === 'switching'
    ? objects.get(claim.move.destination.objectName)
    : [...ownMoves.values()].map(({ source }) => source).find(({ name }) => name === location?.objectName);

/** What may never be said of a volume: what it lives on or keeps is gone or changed, or a guest's write is lost. */
const brokenVolume = (
  { world }: Sim,
  { id, location, claim, retained }: Volume,
  left: ReadonlyMap<string, Content>,
  untouched: Content | undefined,
): string | undefined => {
  for (const { object, kind } of retained) {
    const kept = world.objects.get(object.objectName);
    if (!kept) return `the kept object ${object.objectName} was removed`;
    if (object.objectName === location?.objectName) return `${object.objectName} is kept and lived on at once`;
    const then = kind === 'source' ? left.get(object.objectName) : undefined;
    if (then && kept.content.join() !== then.join()) return `the kept object ${object.objectName} was written to`;
  }
  if (!location) return undefined;
  const object = world.objects.get(location.objectName) ?? hiddenByItsMove(world, { location, claim });
  if (!object) return `the object that the volume lives on, ${location.objectName}, is not there`;
  const wanted = id === VOLUME_ID ? world.truth : (untouched ?? ([NOTHING, NOTHING] as const));
  if (object.content[0] === wanted[0] && object.content[1] === wanted[1]) return undefined;
  return `a guest’s write is lost: ${location.objectName} holds ${digestOf(object.content)}, the guest has written ${wanted.join('/')}`;
};
