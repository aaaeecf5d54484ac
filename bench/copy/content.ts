import { randomFillSync } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Content } from './cases.ts';
import { changedChunks, dataRuns, MIB, type Run } from './layout.ts';

/** Writes the volumes that are copied, and checks what cannot be compared byte by byte. */
const fillRun = async (file: FileHandle, run: Run, memory: Buffer, fill: (part: Buffer) => void): Promise<void> => {
  for (let at = 0; at < run.lengthBytes; at += memory.length) {
    const part = memory.subarray(0, Math.min(memory.length, run.lengthBytes - at));
    fill(part);
    await file.write(part, 0, part.length, run.offset + at);
  }
};

export const randomly = (part: Buffer): void => void randomFillSync(part);

/** A file of `sizeBytes` with these runs in it, durable. */
export const makeRuns = async (
  path: string,
  sizeBytes: number,
  runs: readonly Run[],
  fill: (part: Buffer) => void,
  signal: AbortSignal,
): Promise<void> => {
  const file = await open(path, 'w');
  const memory = Buffer.alloc(MIB);
  try {
    await file.truncate(sizeBytes);
    for (const run of runs) {
      signal.throwIfAborted();
      await fillRun(file, run, memory, fill);
    }
    await file.sync();
  } finally {
    await file.close();
  }
};

export const makeSource = async (
  path: string,
  content: Content,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> => {
  const fill = content === 'zeroes' ? (part: Buffer): void => void part.fill(0) : randomly;
  // a megabyte at a time, so that it can be interrupted
  const whole = Array.from({ length: Math.ceil(sizeBytes / MIB) }, (_, i) => ({
    offset: i * MIB,
    lengthBytes: Math.min(MIB, sizeBytes - i * MIB),
  }));
  await makeRuns(path, sizeBytes, content === 'sparse' ? dataRuns(sizeBytes) : whole, fill, signal);
};

/**
 * Turns a file that equals the source into the one it was before 1 % of its chunks changed: the old bytes are the inverse of
 * the new ones, so they need not be kept anywhere.
 */
export const undoChanges = async (source: string, destination: string, sizeBytes: number): Promise<void> => {
  const from = await open(source, 'r');
  const to = await open(destination, 'r+');
  const memory = Buffer.alloc(MIB);
  try {
    for (const chunk of changedChunks(sizeBytes)) {
      const { bytesRead } = await from.read(memory, 0, MIB, chunk * MIB);
      for (let i = 0; i < bytesRead; i++) memory[i] = ~(memory[i] ?? 0) & 0xff;
      await to.write(memory, 0, bytesRead, chunk * MIB);
    }
    await to.sync();
  } finally {
    await from.close();
    await to.close();
  }
};

/** Of files too large to be read whole. What lies between the runs is told by the bytes that are allocated. */
export const sameRuns = async (a: string, b: string, runs: readonly Run[]): Promise<boolean> => {
  const files = [await open(a, 'r'), await open(b, 'r')] as const;
  const memories = [Buffer.alloc(MIB), Buffer.alloc(MIB)] as const;
  try {
    for (const run of runs) {
      for (let at = 0; at < run.lengthBytes; at += MIB) {
        const length = Math.min(MIB, run.lengthBytes - at);
        for (const i of [0, 1] as const) await files[i].read(memories[i], 0, length, run.offset + at);
        if (!memories[0].subarray(0, length).equals(memories[1].subarray(0, length))) return false;
      }
    }
    return true;
  } finally {
    for (const file of files) await file.close();
  }
};
