import { volmoveError } from '../domain/error.ts';
import { exportName } from '../domain/names.ts';
import type { SealedGeneration } from './exports.ts';
import type { HashExports } from './hash-exports.ts';
import type { ExportRecord, GenerationJournal } from './journal/generations.ts';

/** How a run's export is closed, and the one way in which it is opened again. Every decision is on disk before it is acted upon. */
export interface SealDeps {
  readonly journal: GenerationJournal;
  readonly hashes: HashExports | undefined;
  /** Ends the generation's writers; resolves when its device is flushed and closed, rejects when that flush failed. */
  readonly endGeneration: (name: string) => Promise<void>;
}

export const createSeals = ({ journal, hashes, endGeneration }: SealDeps) => {
  const shut = async (record: ExportRecord): Promise<void> => {
    if (!record.sealed) await journal.put({ ...record, sealed: true });
    await hashes?.end(record.migrationId, record.run);
    if (record.attempt > 0) await endGeneration(exportName(record.migrationId, record.run, record.attempt));
  };

  return {
    async seal(migrationId: string, run: number) {
      const record = journal.get(migrationId, run);
      if (!record) return undefined;
      await shut(record);
      if (record.flushFailure !== undefined) {
        const reason = `generation ${record.attempt} of run ${run}: ${record.flushFailure}`;
        throw volmoveError('FlushFailed', { reason });
      }
      return { generation: record.attempt, object: record.object };
    },

    /** No repair opens it any more. A flush that fails fails nobody: a later run believes only what was flushed before. */
    async sealForEver(record: ExportRecord): Promise<void> {
      const buried: ExportRecord = { ...record, sealed: true, buried: true };
      if (!record.buried) await journal.put(buried);
      try {
        await shut(buried);
      } catch (error) {
        if (journal.get(record.migrationId, record.run)?.flushFailure === undefined) throw error;
      }
    },

    async openForRepair({ migrationId, run, generation, sizeBytes }: SealedGeneration): Promise<void> {
      const record = journal.get(migrationId, run);
      const wasRepaired = record?.repair !== undefined && record.repair.above !== record.attempt;
      if (!record?.sealed || record.buried || record.attempt !== generation || wasRepaired)
        throw volmoveError('NoProof', { reason: `generation ${generation} of run ${run} may not be repaired` });
      await journal.put({ ...record, sealed: false, repair: { above: generation, sizeBytes } });
    },
  };
};
