import type { BlockDevice } from '../domain/block-device.ts';
import { volmoveError } from '../domain/error.ts';
import { exportName, parseExportName } from '../domain/names.ts';
import type { ObjectRef } from '../domain/placement.ts';
import { createTurns } from './in-turn.ts';
import type { ExportRecord, GenerationJournal } from './journal/generations.ts';

/**
 * One writer (design section 4). An export is `<migrationId>.<run>.<attempt>` and admits the source host's certificate alone.
 * The highest generation is kept on disk; a higher one ends the lower one's connections and waits for their I/O before it is
 * let in. A sealed run admits nobody any more, also after a restart.
 */
export interface Exports {
  /** Lets the source's agent write to `object` for this run. */
  admit(request: Admission): Promise<void>;
  /** What the NBD server asks for each connection. */
  resolve(name: string, peerFingerprint: string | undefined): Promise<Resolution>;
  /**
   * Closes the run for ever, on disk first; resolves when its I/O has ended and its device is flushed and closed. When that
   * flush fails it rejects, and with FlushFailed ever after.
   */
  seal(
    migrationId: string,
    run: number,
  ): Promise<{ readonly generation: number; readonly object: ObjectRef } | undefined>;
  /** Seals every run that writes to the object, before its removal: what could not be made durable does not matter then. */
  sealObject(objectName: string): Promise<void>;
  close(): Promise<void>;
}

export interface Admission {
  readonly migrationId: string;
  readonly run: number;
  readonly object: ObjectRef;
  readonly admitFingerprint: string;
}

export type Resolution = { readonly device: BlockDevice; readonly readOnly: boolean } | { readonly refused: string };

export interface ExportDeps {
  readonly journal: GenerationJournal;
  readonly open: (object: ObjectRef) => Promise<BlockDevice>;
  /** Refuses new requests of the export, ends its connections and resolves when its I/O in flight has ended. */
  readonly endExport: (name: string) => Promise<void>;
}

const refusalOf = (record: ExportRecord, attempt: number, peerFingerprint: string | undefined): string | undefined => {
  if (peerFingerprint !== record.admitFingerprint) return 'the certificate is not the one that was admitted';
  if (record.sealed) return 'the export is sealed';
  // attempts begin with 1; the record has 0 before the first, and its seal would find nothing to end
  if (attempt < 1) return 'no attempt has the number 0';
  return attempt < record.attempt ? `generation ${attempt} was replaced by ${record.attempt}` : undefined;
};

export const createExports = ({ journal, open, endExport }: ExportDeps): Exports => {
  const devices = new Map<string, BlockDevice>();
  /** One decision at a time: two connections can never both believe that they are the highest generation. */
  const inTurn = createTurns();

  /** A failed flush is never repeated, so it is kept on disk: a later look would find nothing that is wrong. */
  const keepFlushFailure = async (name: string, error: unknown): Promise<void> => {
    const ended = parseExportName(name);
    const record = ended && journal.get(ended.migrationId, ended.run);
    const flushFailure = error instanceof Error ? error.message : String(error);
    if (record) await journal.put({ ...record, flushFailure });
  };

  const endGeneration = async (name: string): Promise<void> => {
    await endExport(name);
    const device = devices.get(name);
    devices.delete(name);
    if (!device) return;
    try {
      await device.flush();
    } catch (error) {
      await keepFlushFailure(name, error);
      throw error;
    } finally {
      await device.close();
    }
  };

  const shut = async (record: ExportRecord): Promise<void> => {
    if (!record.sealed) await journal.put({ ...record, sealed: true });
    if (record.attempt > 0) await endGeneration(exportName(record.migrationId, record.run, record.attempt));
  };

  const seal = async (migrationId: string, run: number) => {
    const record = journal.get(migrationId, run);
    if (!record) return undefined;
    await shut(record);
    if (record.flushFailure !== undefined) {
      const reason = `generation ${record.attempt} of run ${run}: ${record.flushFailure}`;
      throw volmoveError('FlushFailed', { reason });
    }
    return { generation: record.attempt, object: record.object };
  };

  const sealForRemoval = async (record: ExportRecord): Promise<void> => {
    try {
      await shut(record);
    } catch (error) {
      if (journal.get(record.migrationId, record.run)?.flushFailure === undefined) throw error;
    }
  };

  const admitGeneration = async (name: string, peerFingerprint: string | undefined): Promise<Resolution> => {
    const asked = parseExportName(name);
    const record = asked && journal.get(asked.migrationId, asked.run);
    if (!asked || !record) return { refused: 'no such export is open' };
    const refused = refusalOf(record, asked.attempt, peerFingerprint);
    if (refused !== undefined) return { refused };
    if (asked.attempt > record.attempt) {
      // the new one begins at a checkpoint that a good flush stands behind, and writes again what came after it
      const { flushFailure: _, ...kept } = record;
      await journal.put({ ...kept, attempt: asked.attempt });
      if (record.attempt > 0) await endGeneration(exportName(asked.migrationId, asked.run, record.attempt));
    }
    const device = devices.get(name) ?? (await open(record.object));
    devices.set(name, device);
    return { device, readOnly: false };
  };

  return {
    admit: (request) =>
      inTurn(async () => {
        const known = journal.get(request.migrationId, request.run);
        if (!known) await journal.put({ ...request, attempt: 0, sealed: false });
      }),
    resolve: (name, peerFingerprint) => inTurn(() => admitGeneration(name, peerFingerprint)),
    seal: (migrationId, run) => inTurn(() => seal(migrationId, run)),
    sealObject: (objectName) =>
      inTurn(async () => {
        for (const record of journal.ofObject(objectName)) await sealForRemoval(record);
      }),
    close: () =>
      inTurn(async () => {
        const ended = await Promise.allSettled([...devices.keys()].map(endGeneration));
        for (const end of ended) if (end.status === 'rejected') throw end.reason;
      }),
  };
};
