import type { BlockDevice } from '../domain/block-device.ts';
import { exportName, parseExportName } from '../domain/names.ts';
import type { ObjectRef } from '../domain/placement.ts';
import type { GenerationJournal } from './journal/generations.ts';

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
  /** Closes the run for ever, on disk first; resolves when its I/O has ended and its device is flushed and closed. */
  seal(
    migrationId: string,
    run: number,
  ): Promise<{ readonly generation: number; readonly object: ObjectRef } | undefined>;
  /** Seals every run that writes to the object: before its removal. */
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

export const createExports = ({ journal, open, endExport }: ExportDeps): Exports => {
  const devices = new Map<string, BlockDevice>();
  let turn: Promise<unknown> = Promise.resolve();
  /** One decision at a time: two connections can never both believe that they are the highest generation. */
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = turn.then(act, act);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const endGeneration = async (name: string): Promise<void> => {
    await endExport(name);
    const device = devices.get(name);
    devices.delete(name);
    if (!device) return;
    await device.flush();
    await device.close();
  };

  const seal = async (migrationId: string, run: number) => {
    const record = journal.get(migrationId, run);
    if (!record) return undefined;
    if (!record.sealed) await journal.put({ ...record, sealed: true });
    if (record.attempt > 0) await endGeneration(exportName(migrationId, run, record.attempt));
    return { generation: record.attempt, object: record.object };
  };

  const admitGeneration = async (name: string, peerFingerprint: string | undefined): Promise<Resolution> => {
    const asked = parseExportName(name);
    const record = asked && journal.get(asked.migrationId, asked.run);
    if (!asked || !record) return { refused: 'no such export is open' };
    if (peerFingerprint !== record.admitFingerprint)
      return { refused: 'the certificate is not the one that was admitted' };
    if (record.sealed) return { refused: 'the export is sealed' };
    if (asked.attempt < record.attempt)
      return { refused: `generation ${asked.attempt} was replaced by ${record.attempt}` };
    if (asked.attempt > record.attempt) {
      await journal.put({ ...record, attempt: asked.attempt });
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
        for (const record of journal.ofObject(objectName)) await seal(record.migrationId, record.run);
      }),
    close: () =>
      inTurn(async () => {
        for (const name of [...devices.keys()]) await endGeneration(name);
      }),
  };
};
