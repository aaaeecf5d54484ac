import type { BlockDevice } from '../domain/block-device.ts';
import { migrationJobId } from '../domain/job/job.ts';
import { exportName, type HashExport, parseHashExportName } from '../domain/names.ts';
import type { ObjectRef } from '../domain/placement.ts';
import type { BufferPool } from './device/buffer-pool.ts';
import { DataPathError, throwIfAborted } from './device/errors.ts';
import { storedLeaves } from './digest/stored-leaves.ts';
import { treeOf } from './digest/tree.ts';
import { nodesDevice } from './digest/tree-device.ts';
import type { Resolution } from './exports.ts';
import type { ExportRecord, GenerationJournal } from './journal/generations.ts';
import type { LeafJournal } from './journal/leaves.ts';

/**
 * The hashes of what a run's destination holds, as read-only exports beside that of its writer and for the same certificate:
 * `.tree` of the generation that was sealed and is open for a repair, `.leaves` of the one that writes. They never change who may
 * write, and end when the run is sealed.
 */
export interface HashExports {
  /** Undefined when the name is none of a hash export. */
  resolve(name: string, peerFingerprint: string | undefined): Promise<Resolution> | undefined;
  /** Resolves when nothing of the run's object is read for its hashes any more. */
  end(migrationId: string, run: number): Promise<void>;
  close(): Promise<void>;
}

export interface HashExportDeps {
  readonly journal: GenerationJournal;
  readonly leaves: LeafJournal;
  readonly openObject: (object: ObjectRef) => Promise<BlockDevice>;
  readonly buffers: BufferPool;
}

type Asked = NonNullable<ReturnType<typeof parseHashExportName>>;

/** Undefined when it may be read. */
const refusalOf = (record: ExportRecord, { attempt, of }: Asked, peerFingerprint: string | undefined) => {
  if (peerFingerprint !== record.admitFingerprint) return 'the certificate is not the one that was admitted';
  if (record.sealed) return 'the export is sealed';
  const has = of === 'tree' ? record.repair?.above : record.attempt;
  return attempt === has ? undefined : `generation ${attempt} has no ${of}`;
};

/** A device whose close waits for the reads that are under way, and refuses those that come after it. */
const closing = (device: BlockDevice): BlockDevice => {
  const reading = new Set<Promise<void>>();
  let closed = false;
  return {
    ...device,
    async read(offset, target, signal) {
      throwIfAborted(signal);
      if (closed) throw new DataPathError('ExportSealed', 'the export was sealed');
      const mine = device.read(offset, target, signal);
      const over = mine.catch(() => undefined);
      reading.add(over);
      await mine.finally(() => reading.delete(over));
    },
    async close() {
      closed = true;
      await Promise.all(reading);
      await device.close();
    },
  };
};

export const createHashExports = ({ journal, leaves, openObject, buffers }: HashExportDeps): HashExports => {
  const devices = new Map<string, BlockDevice>();

  const openOf = async (record: ExportRecord, of: HashExport): Promise<BlockDevice | undefined> => {
    const sizeBytes = record.repair?.sizeBytes ?? record.object.sizeBytes;
    if (of === 'leaves') {
      const object = await openObject(record.object);
      return nodesDevice(storedLeaves(object, sizeBytes, buffers), 'leaves', () => object.close());
    }
    const file = await leaves.open(migrationJobId(record.migrationId, record.run, 'data.verify'), sizeBytes);
    return file && nodesDevice(treeOf(file, sizeBytes), 'all', () => file.close());
  };

  const admit = async (name: string, asked: Asked, peerFingerprint: string | undefined): Promise<Resolution> => {
    const record = journal.get(asked.migrationId, asked.run);
    if (!record) return { refused: 'no such export is open', because: 'ExportNotOpen' };
    const refused = refusalOf(record, asked, peerFingerprint);
    if (refused !== undefined) return { refused };
    const known = devices.get(name);
    if (known) return { device: known, readOnly: true };
    const opened = await openOf(record, asked.of);
    if (!opened) return { refused: 'nothing is known of what was read back', because: 'ExportNotOpen' };
    const device = closing(opened);
    devices.set(name, device);
    return { device, readOnly: true };
  };

  const endAll = async (names: readonly string[]): Promise<void> => {
    for (const name of names) {
      const device = devices.get(name);
      devices.delete(name);
      await device?.close();
    }
  };

  return {
    resolve(name, peerFingerprint) {
      const asked = parseHashExportName(name);
      return asked && admit(name, asked, peerFingerprint);
    },
    end(migrationId, run) {
      const prefix = exportName(migrationId, run, 0).slice(0, -1);
      return endAll([...devices.keys()].filter((name) => name.startsWith(prefix)));
    },
    close: () => endAll([...devices.keys()]),
  };
};
