import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import type { BusEvent } from './entries.ts';
import type { Target } from './model.ts';

/**
 * What was accepted and is not delivered yet, one JSON line each: `put` when accepted, `done` when delivered or given up. PutEvents
 * answers after its lines are with the kernel: they survive kill -9. They are not synced one by one: a power loss may take the
 * last ones, and a `done` that is lost means one more delivery.
 */

export interface Delivery {
  /** Unique among all deliveries: event, rule and target. */
  readonly id: string;
  readonly event: BusEvent;
  readonly busName: string;
  readonly ruleName: string;
  readonly target: Target;
}

export interface Journal {
  /** What an earlier process left undelivered, oldest first. */
  readonly left: readonly Delivery[];
  put(deliveries: readonly Delivery[]): Promise<void>;
  done(delivery: Delivery): Promise<void>;
  close(): Promise<void>;
}

type Line = { readonly put: Delivery } | { readonly done: string };

/** Above this the file is rewritten with what is still open. */
const COMPACT_ABOVE_BYTES = 4 * 1024 * 1024;

export interface JournalOptions {
  readonly path: string;
  /** A rewrite that failed; the journal goes on in the old file, which only grows. */
  readonly onError: (error: unknown) => void;
  readonly compactAboveBytes?: number;
}

export const openJournal = async (options: JournalOptions): Promise<Journal> => {
  const { path, onError, compactAboveBytes = COMPACT_ABOVE_BYTES } = options;
  const pending = await readPending(path);
  const left = [...pending.values()];
  let writer = await rewrite(path, pending, compactAboveBytes);
  let waiting: Array<{ line: string; written: () => void; failed: (error: unknown) => void }> = [];
  let turn: Promise<void> = Promise.resolve();

  /** One write at a time takes all lines that came meanwhile; so a burst costs few writes, and lines never mix. */
  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    try {
      const text = batch.map(({ line }) => line).join('');
      await writer.file.appendFile(text);
      writer.sizeBytes += Buffer.byteLength(text);
      for (const { written } of batch) written();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
    if (writer.sizeBytes > writer.compactAtBytes) await compact().catch(onError);
  };
  const compact = async (): Promise<void> => {
    const before = writer;
    before.sizeBytes = 0;
    writer = await rewrite(path, pending, compactAboveBytes);
    await before.file.close();
  };
  const append = (line: Line): Promise<void> =>
    new Promise((written, failed) => {
      waiting.push({ line: `${JSON.stringify(line)}\n`, written, failed });
      turn = turn.then(flush);
    });

  return {
    left,
    async put(deliveries) {
      for (const delivery of deliveries) pending.set(delivery.id, delivery);
      try {
        await Promise.all(deliveries.map((delivery) => append({ put: delivery })));
      } catch (error) {
        for (const { id } of deliveries) pending.delete(id);
        throw error;
      }
    },
    async done({ id }) {
      pending.delete(id);
      await append({ done: id });
    },
    async close() {
      await turn;
      await writer.file.close();
    },
  };
};

/** For an embedded cloud without a directory: nothing survives. */
export const memoryJournal = (): Journal => ({
  left: [],
  put: () => Promise.resolve(),
  done: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

/** A line that a power loss tore is no line: its event was never acknowledged, or is delivered once more. */
const readPending = async (path: string): Promise<Map<string, Delivery>> => {
  const pending = new Map<string, Delivery>();
  for (const text of (await readIfThere(path)).split('\n')) {
    const line = parseLine(text);
    if (line === undefined) continue;
    if ('put' in line) pending.set(line.put.id, line.put);
    else pending.delete(line.done);
  }
  return pending;
};

const readIfThere = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
};

const parseLine = (text: string): Line | undefined => {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
};

interface Writer {
  readonly file: FileHandle;
  readonly compactAtBytes: number;
  sizeBytes: number;
}

const rewrite = async (
  path: string,
  pending: ReadonlyMap<string, Delivery>,
  compactAboveBytes: number,
): Promise<Writer> => {
  const text = [...pending.values()].map((put) => `${JSON.stringify({ put })}\n`).join('');
  const file = await open(`${path}.next`, 'w', 0o600);
  await file.writeFile(text);
  await file.sync();
  await rename(`${path}.next`, path);
  const sizeBytes = Buffer.byteLength(text);
  return { file, sizeBytes, compactAtBytes: compactAboveBytes + 2 * sizeBytes };
};
