import type { BlockDevice } from '../domain/block-device.ts';
import { volmoveError } from '../domain/error.ts';
import { exportName, parseExportName } from '../domain/names.ts';
import type { ObjectRef } from '../domain/placement.ts';
import { exportTurns } from './export-turns.ts';
import type { HashExports } from './hash-exports.ts';
import type { ExportRecord, GenerationJournal } from './journal/generations.ts';
import { createSeals } from './seals.ts';

/**
 * One writer (design section 4). An export is `<migrationId>.<run>.<attempt>` and admits the source host's certificate alone.
 * The highest generation is kept on disk; a higher one ends the lower one's connections and waits for their I/O before it is
 * let in. A sealed run admits nobody any more, also after a restart.
 */
export interface Exports {
  /**
   * Lets the source's agent write to `object` for this run. A run that goes on with an earlier one's object closes that one's
   * generations for ever, on disk and with all their I/O ended, before it is let in; the earlier one is refused from then on.
   */
  admit(request: Admission): Promise<void>;
  /** What the NBD server asks for each connection. */
  resolve(name: string, peerFingerprint: string | undefined): Promise<Resolution>;
  /**
   * Lets a writer on this host, which needs no connection, be the run's highest generation. It is alone in that: nothing
   * else ever enters the same generation.
   */
  enterLocal(writer: LocalWriter): Promise<{ readonly object: ObjectRef } | { readonly refused: string }>;
  /**
   * Closes the run, on disk first; resolves when its I/O has ended and its device is flushed and closed. When that flush fails
   * it rejects, and with FlushFailed ever after. Nothing but openForRepair ever opens it again.
   */
  seal(
    migrationId: string,
    run: number,
  ): Promise<{ readonly generation: number; readonly object: ObjectRef } | undefined>;
  /**
   * What was read back of the generation that is sealed differs from the source: lets higher ones in, once. That generation and
   * those below it stay closed for ever; so does everything after the seal that follows the repair, and after a removal: NoProof.
   */
  openForRepair(sealed: SealedGeneration): Promise<void>;
  /** Seals every run that writes to the object for ever, before its removal: what could not be made durable does not matter then. */
  sealObject(objectName: string): Promise<void>;
  close(): Promise<void>;
}

export interface Admission {
  readonly migrationId: string;
  readonly run: number;
  readonly object: ObjectRef;
  readonly admitFingerprint: string;
}

export interface SealedGeneration {
  readonly migrationId: string;
  readonly run: number;
  readonly generation: number;
  /** Of the volume; its object may be larger. */
  readonly sizeBytes: number;
}

export interface LocalWriter {
  readonly migrationId: string;
  readonly run: number;
  readonly attempt: number;
  /** Of this host's own certificate: the source's host alone may write, also when it is this one. */
  readonly fingerprint: string;
  /** Ends it, for a seal or a higher generation; resolves when nothing of it can write any more, and never rejects. */
  readonly end: () => Promise<void>;
}

export type Resolution =
  | { readonly device: BlockDevice; readonly readOnly: boolean }
  | { readonly refused: string; readonly because?: 'ExportNotOpen' };

export interface ExportDeps {
  readonly journal: GenerationJournal;
  readonly open: (object: ObjectRef) => Promise<BlockDevice>;
  /** Refuses new requests of the export, ends its connections and resolves when its I/O in flight has ended. */
  readonly endExport: (name: string) => Promise<void>;
  /** The hashes of what the runs hold; undefined: nobody may read them. */
  readonly hashes?: HashExports;
}

const refusalOf = (record: ExportRecord, attempt: number, peerFingerprint: string | undefined): string | undefined => {
  if (peerFingerprint !== record.admitFingerprint) return 'the certificate is not the one that was admitted';
  if (record.sealed || attempt <= (record.repair?.above ?? 0)) return 'the export is sealed';
  // attempts begin with 1; the record has 0 before the first, and its seal would find nothing to end
  if (attempt < 1) return 'no attempt has the number 0';
  return attempt < record.attempt ? `generation ${attempt} was replaced by ${record.attempt}` : undefined;
};

/** A failed flush is never repeated, so it is kept on disk: a later look would find nothing that is wrong. */
const keepFlushFailure = async (journal: GenerationJournal, name: string, error: unknown): Promise<void> => {
  const ended = parseExportName(name);
  const record = ended && journal.get(ended.migrationId, ended.run);
  const flushFailure = error instanceof Error ? error.message : String(error);
  if (record) await journal.put({ ...record, flushFailure });
};

/** Every older run of the object is closed on disk before the new one stands there: of the two the later is let in, never both. */
const admitted = async (
  journal: GenerationJournal,
  sealForEver: (record: ExportRecord) => Promise<void>,
  request: Admission,
): Promise<void> => {
  const { migrationId, run, object } = request;
  if (journal.get(migrationId, run)) return;
  const others = journal.ofObject(object.objectName);
  const later = others.find((other) => other.migrationId === migrationId && other.run > run);
  if (later)
    throw volmoveError('PeerRefused', {
      reason: `run ${later.run} writes to ${object.objectName}, run ${run} comes too late`,
    });
  for (const older of others) await sealForEver(older);
  await journal.put({ ...request, attempt: 0, sealed: false });
};

export const createExports = ({ journal, open, endExport, hashes }: ExportDeps): Exports => {
  const devices = new Map<string, BlockDevice>();
  const localWriters = new Map<string, LocalWriter>();
  const turns = exportTurns(journal);

  const endGeneration = async (name: string): Promise<void> => {
    await endExport(name);
    await localWriters.get(name)?.end();
    localWriters.delete(name);
    const device = devices.get(name);
    devices.delete(name);
    if (!device) return;
    try {
      await device.flush();
    } catch (error) {
      await keepFlushFailure(journal, name, error);
      throw error;
    } finally {
      await device.close();
    }
  };

  const seals = createSeals({ journal, hashes, endGeneration });

  /** The generation that `record` tells of ends before a higher one may begin. */
  const raise = async (record: ExportRecord, attempt: number): Promise<void> => {
    // the new one begins at a checkpoint that a good flush stands behind, and writes again what came after it
    const { flushFailure: _, ...kept } = record;
    await journal.put({ ...kept, attempt });
    if (record.attempt > 0) await endGeneration(exportName(record.migrationId, record.run, record.attempt));
  };

  const enterLocal = async (writer: LocalWriter): ReturnType<Exports['enterLocal']> => {
    const { migrationId, run, attempt, fingerprint } = writer;
    const record = journal.get(migrationId, run);
    if (!record) return { refused: 'no such export is open' };
    const refused = refusalOf(record, attempt, fingerprint);
    if (refused !== undefined) return { refused };
    if (attempt === record.attempt) return { refused: `generation ${attempt} has had its writer` };
    await raise(record, attempt);
    localWriters.set(exportName(migrationId, run, attempt), writer);
    return { object: record.object };
  };

  const admitGeneration = async (name: string, peerFingerprint: string | undefined): Promise<Resolution> => {
    const asked = parseExportName(name);
    const record = asked && journal.get(asked.migrationId, asked.run);
    if (!asked || !record) return { refused: 'no such export is open', because: 'ExportNotOpen' };
    const refused = refusalOf(record, asked.attempt, peerFingerprint);
    if (refused !== undefined) return { refused };
    if (localWriters.has(name)) return { refused: `generation ${asked.attempt} has a writer on its own host` };
    if (asked.attempt > record.attempt) await raise(record, asked.attempt);
    const device = devices.get(name) ?? (await open(record.object));
    devices.set(name, device);
    return { device, readOnly: false };
  };

  return {
    admit: (request) => turns.ofObject(request.object.objectName)(() => admitted(journal, seals.sealForEver, request)),
    resolve: (name, peerFingerprint) =>
      turns.ofExport(name)(
        async () => (await hashes?.resolve(name, peerFingerprint)) ?? admitGeneration(name, peerFingerprint),
      ),
    enterLocal: (writer) => turns.ofRun(writer.migrationId, writer.run)(() => enterLocal(writer)),
    seal: (migrationId, run) => turns.ofRun(migrationId, run)(() => seals.seal(migrationId, run)),
    openForRepair: (sealed) => turns.ofRun(sealed.migrationId, sealed.run)(() => seals.openForRepair(sealed)),
    sealObject: (objectName) =>
      turns.ofObject(objectName)(async () => {
        for (const record of journal.ofObject(objectName)) await seals.sealForEver(record);
      }),
    async close() {
      await turns.idle();
      await hashes?.close();
      const ended = await Promise.allSettled([...devices.keys(), ...localWriters.keys()].map(endGeneration));
      for (const end of ended) if (end.status === 'rejected') throw end.reason;
    },
  };
};
