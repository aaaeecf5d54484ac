// What the journals of one machine say at the start of an engine.
import { rmSync } from 'node:fs';
import type { MachineFiles } from '../journal/files.ts';
import { appendLines, readSummary, recoverJournal } from '../journal/journal.ts';
import { lineText, type StartRecord, type Summary } from '../journal/lines.ts';
import type { Progress } from '../run/frame.ts';

/** Step Functions forgets an ended execution, and its name with it, after 90 days. */
const KEPT_MS = 90 * 24 * 60 * 60 * 1000;

export interface Recovered {
  readonly heads: readonly Summary[];
  readonly running: readonly { readonly start: StartRecord; readonly progress: Progress }[];
}

/** Throws when a journal cannot be read. */
export function recoverExecutions(files: MachineFiles, nowMs: number): Recovered {
  const heads: Summary[] = [];
  const running: { start: StartRecord; progress: Progress }[] = [];
  for (const path of files.journalPaths()) {
    const summary = readSummary(path);
    if (summary !== undefined) {
      if (summary.stopMs !== null && summary.stopMs < nowMs - KEPT_MS) rmSync(path);
      else heads.push(summary);
      continue;
    }
    const recovered = recoverJournal(path);
    if (recovered === undefined) {
      rmSync(path);
      continue;
    }
    const { start, progress } = recovered;
    const head = headOf(start, progress);
    heads.push(head);
    if (progress.ending === null) running.push({ start, progress });
    // Only its last line was lost: what it sums up is in the transitions.
    else appendLines(path, lineText({ ended: head }));
  }
  return { heads, running };
}

function headOf({ name, startMs }: StartRecord, { ending }: Progress): Summary {
  return { name, status: ending?.status ?? 'RUNNING', startMs, stopMs: ending?.stopMs ?? null };
}
