import type { ObjectRef } from '../../domain/placement.ts';
import { type DurableFolder, openDurableFolder } from '../../local/durable-folder.ts';

/**
 * The exports of this host, durably: which object a run writes to, whose certificate may write, the highest generation that
 * was ever let in, and whether it is sealed. Read again after a restart, so that a sealed export stays closed for ever.
 */
export interface ExportRecord {
  readonly migrationId: string;
  readonly run: number;
  readonly object: ObjectRef;
  readonly admitFingerprint: string;
  /** The attempt of the highest generation that was admitted; 0 before the first. */
  readonly attempt: number;
  /** Nobody is let in. */
  readonly sealed: boolean;
  /** Sealed for the removal of its object, or for a later run that goes on with it: then no repair opens it any more. */
  readonly buried?: true;
  /**
   * Opened for one repair of the generation `above`, of a volume of `sizeBytes`: only higher ones are let in, and once one was,
   * the next seal is for ever.
   */
  readonly repair?: { readonly above: number; readonly sizeBytes: number };
  /** Why the last flush of what that generation or the one before it wrote failed: until a higher one is let in, nobody may believe it. */
  readonly flushFailure?: string;
}

export interface GenerationJournal {
  get(migrationId: string, run: number): ExportRecord | undefined;
  ofObject(objectName: string): ExportRecord[];
  /** Those that may still be written to. */
  unsealed(): ExportRecord[];
  put(record: ExportRecord): Promise<void>;
}

const keyOf = (migrationId: string, run: number): string => `${migrationId}.${run}`;

export const openGenerationJournal = async (dataDir: string): Promise<GenerationJournal> =>
  generationsIn(await openDurableFolder(dataDir, 'exports'));

export const generationsIn = async (folder: DurableFolder): Promise<GenerationJournal> => {
  const records = new Map<string, ExportRecord>();
  for (const name of await folder.names()) {
    const record = (await folder.read(name)) as ExportRecord;
    records.set(keyOf(record.migrationId, record.run), record);
  }
  return {
    get: (migrationId, run) => records.get(keyOf(migrationId, run)),
    ofObject: (objectName) => [...records.values()].filter((record) => record.object.objectName === objectName),
    unsealed: () => [...records.values()].filter((record) => !record.sealed),
    async put(record) {
      await folder.write(keyOf(record.migrationId, record.run), record);
      records.set(keyOf(record.migrationId, record.run), record);
    },
  };
};
