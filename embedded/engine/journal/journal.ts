// One execution's journal: an append-only file of JSON lines, written before anyone can see the effect of a line.
//
// A line is in the page cache when `append` returns, so kill -9 loses nothing. It is not forced to the disk: a power
// loss may lose the last seconds. Executions then go on from an earlier state, calls may be made again, a
// StartExecution or SendTask* that was answered may be forgotten, and a status event may have told of what is lost.
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { isObject } from '../json.ts';
import { applyTransition, createProgress, type Ending, type Progress } from '../run/frame.ts';
import type { HistoryEvent } from '../run/history.ts';
import type { StartLine, StartRecord, Summary, SummaryLine, TransitionLine } from './lines.ts';

/** A summary line is far below this, so the end of the file is enough to find it. */
const TAIL_BYTES = 4096;

/** Appends whole lines, all or nothing. Throws when the disk refuses; the file then is as it was before. */
export function appendLines(path: string, text: string): void {
  try {
    append(path, Buffer.from(text, 'utf8'));
  } catch (error) {
    throw new Error(`The journal ${path} cannot be written; make room or repair the disk`, { cause: error });
  }
}

function append(path: string, bytes: Buffer): void {
  const file = openSync(path, 'a');
  try {
    const sizeBytes = fstatSync(file).size;
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    } catch (error) {
      ftruncateSync(file, sizeBytes);
      throw error;
    }
  } finally {
    closeSync(file);
  }
}

/** The summary at the end of an ended journal, without reading the rest; undefined when it has none. */
export function readSummary(path: string): Summary | undefined {
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const text = tail.toString('utf8');
    if (!text.endsWith('\n')) return undefined;
    const line = parseLine(text.slice(text.lastIndexOf('\n', text.length - 2) + 1));
    return line !== undefined && 'ended' in line ? line.ended : undefined;
  } finally {
    closeSync(file);
  }
}

export interface JournalContent {
  readonly start: StartRecord;
  readonly progress: Progress;
}

/**
 * Reads a journal of an execution that may be running, and cuts off a last line that was not written whole.
 * Undefined when not even the first line is whole: the start was never confirmed to anyone.
 * Throws when a line before the last one cannot be read: the file was changed by something else.
 */
export function recoverJournal(path: string): JournalContent | undefined {
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  if (wholeBytes < bytes.length) truncateSync(path, wholeBytes);
  const lines = journalLines(path, bytes.toString('utf8', 0, wholeBytes));
  const first = lines[0];
  if (first === undefined) return undefined;
  if (!('start' in first)) throw new Error(`The journal ${path} does not begin with a start; move the file away`);
  const progress = createProgress();
  for (const line of lines) if ('transition' in line) applyTransition(progress, line.transition);
  return { start: first.start, progress };
}

export interface JournalRecord {
  readonly start: StartRecord;
  /** Oldest first. */
  readonly events: readonly HistoryEvent[];
  /** Null while the execution runs. */
  readonly ending: Ending | null;
}

/** All that a journal tells to callers of the API. */
export function readJournal(path: string): JournalRecord {
  const text = readFileSync(path, 'utf8');
  const lines = journalLines(path, text.slice(0, text.lastIndexOf('\n') + 1));
  const first = lines[0];
  if (first === undefined || !('start' in first)) throw new Error(`The journal ${path} has no start`);
  const transitions = lines.flatMap((line) => ('transition' in line ? line.transition : []));
  return {
    start: first.start,
    events: transitions.flatMap(({ events }) => events),
    ending: transitions.at(-1)?.ending ?? null,
  };
}

type Line = StartLine | TransitionLine | SummaryLine;

function journalLines(path: string, text: string): Line[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((lineText, index) => {
      const line = parseLine(lineText);
      if (line !== undefined) return line;
      throw new Error(
        `Line ${index + 1} of the journal ${path} cannot be read; move the file away to start without it`,
      );
    });
}

/** The engine wrote the line itself, so its shape is not checked further. */
function parseLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isObject(line) && ('transition' in line || 'ended' in line) ? (line as unknown as Line) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
