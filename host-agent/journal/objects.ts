import { volmoveError } from '../../domain/error.ts';
import { type DurableFolder, openDurableFolder } from '../../local/durable-folder.ts';

/**
 * What this host knows of each object that it was ever asked to make or remove, on disk before it acts. A removal writes its
 * tombstone before it looks, also when it finds nothing; a create writes its intent first and is refused under a tombstone.
 * So a create that was frozen cannot come back after its removal (design section 3).
 */
type Mark = { readonly state: 'intent' | 'made' | 'tombstone' };

export interface ObjectJournal {
  /** Runs `create` between the intent and the mark that it is made; ObjectTombstoned when its removal came first. */
  make<T>(objectName: string, create: () => Promise<T>): Promise<T>;
  /** Runs `remove` after the tombstone stands. */
  bury<T>(objectName: string, remove: () => Promise<T>): Promise<T>;
}

export const openObjectJournal = async (dataDir: string): Promise<ObjectJournal> =>
  objectsIn(await openDurableFolder(dataDir, 'objects'));

export const objectsIn = (folder: DurableFolder): ObjectJournal => {
  const turns = new Map<string, Promise<unknown>>();

  /** One at a time for each object: a removal waits for the create that is open. */
  const inTurn = async <T>(objectName: string, act: () => Promise<T>): Promise<T> => {
    const before = turns.get(objectName) ?? Promise.resolve();
    const mine = before.then(act, act);
    turns.set(objectName, mine);
    try {
      return await mine;
    } finally {
      if (turns.get(objectName) === mine) turns.delete(objectName);
    }
  };

  return {
    make: (objectName, create) =>
      inTurn(objectName, async () => {
        const mark = (await folder.read(objectName)) as Mark | undefined;
        if (mark?.state === 'tombstone') throw volmoveError('ObjectTombstoned', { object: objectName });
        if (!mark) await folder.write(objectName, { state: 'intent' } satisfies Mark);
        const made = await create();
        if (mark?.state !== 'made') await folder.write(objectName, { state: 'made' } satisfies Mark);
        return made;
      }),
    bury: (objectName, remove) =>
      inTurn(objectName, async () => {
        await folder.write(objectName, { state: 'tombstone' } satisfies Mark);
        return remove();
      }),
  };
};
