import type { Extent } from '../../../domain/block-device.ts';
import { createTurns } from '../../in-turn.ts';
import { runsBefore, type ThinMap } from './thin-map.ts';
import { createWrittenBlocks, type WrittenBlocks } from './written-blocks.ts';

/**
 * What is mapped of a thin volume, kept while a device is open: its map, read when it is first asked for, and whatever was written
 * since. It may call mapped what is not, never the other way round.
 */
export interface Allocation {
  /** Told before the write begins, and again when it has ended. */
  touched(from: number, end: number): void;
  /** Runs of [from, end) in ascending order; undefined when it cannot be told what is mapped. */
  runs(from: number, end: number, signal: AbortSignal | undefined): Promise<Iterable<Extent> | undefined>;
  /**
   * The most that a write to there can take of the pool, which gives whole blocks; by what is known already, without asking for
   * more.
   */
  takesBytes(from: number, end: number): number;
}

/** Counts the writes of all devices of one volume in this process: another device's make a map old. */
export interface VolumeWrites {
  count: number;
}

interface Known {
  readonly map: ThinMap;
  readonly written: WrittenBlocks;
  readonly othersCount: number;
}

interface Run {
  readonly mapped: boolean;
  readonly end: number;
}

/** The run of blocks of one kind that begins at `block`, or the first part of it. */
const runAt = ({ map, written }: Known, block: number, end: number): Run => {
  const i = runsBefore(map, block);
  const begin = map.begins[i] ?? Number.POSITIVE_INFINITY;
  if (begin <= block) return { mapped: true, end: Math.min(end, map.ends[i] as number) };
  const gapEnd = Math.min(end, begin);
  const writtenAt = written.next(block, gapEnd, true);
  if (writtenAt > block) return { mapped: false, end: writtenAt };
  return { mapped: true, end: written.next(block, gapEnd, false) };
};

/** Whole runs: parts that follow each other are put together. */
function* runsOf(known: Known, first: number, last: number): Generator<Run & { readonly begin: number }> {
  for (let begin = first; begin < last; ) {
    const run = runAt(known, begin, last);
    let { end } = run;
    for (let next = run; end < last; end = next.end) {
      next = runAt(known, end, last);
      if (next.mapped !== run.mapped) break;
    }
    yield { begin, end, mapped: run.mapped };
    begin = end;
  }
}

function* extentsOf(known: Known, from: number, end: number): Generator<Extent> {
  const { blockBytes } = known.map;
  for (const run of runsOf(known, Math.floor(from / blockBytes), Math.ceil(end / blockBytes))) {
    const offset = Math.max(from, run.begin * blockBytes);
    const lengthBytes = Math.min(end, run.end * blockBytes) - offset;
    yield { offset, lengthBytes, kind: run.mapped ? 'data' : 'hole' };
  }
}

export const createAllocation = (
  readMap: (signal: AbortSignal | undefined) => Promise<ThinMap | undefined>,
  writes: VolumeWrites,
  blockBytes: number,
): Allocation => {
  let own = 0;
  let known: Known | undefined;
  let isReading = false;
  const inTurn = createTurns();
  // what is written while the map is read may be in it or not
  let since: { readonly from: number; readonly end: number }[] = [];

  const mark = ({ map, written }: Known, from: number, end: number): void => {
    // no block is touched by nothing, also where that lies inside of one
    if (from < end) written.add(Math.floor(from / map.blockBytes), Math.ceil(end / map.blockBytes));
  };

  const read = async (signal: AbortSignal | undefined): Promise<Known | undefined> => {
    since = [];
    const othersCount = writes.count - own;
    const map = await readMap(signal);
    if (!map) return undefined;
    known = { map, written: createWrittenBlocks(), othersCount };
    for (const { from, end } of since) mark(known, from, end);
    return known;
  };
  /** Nobody else has written since that was read. */
  const isCurrent = (): boolean => known?.othersCount === writes.count - own;
  /** Whoever asks while a map is read waits for it: it may have begun before what is asked about was written, and then is read again. */
  const current = (signal: AbortSignal | undefined): Promise<Known | undefined> =>
    inTurn(async () => {
      if (isCurrent()) return known;
      isReading = true;
      try {
        return await read(signal);
      } finally {
        isReading = false;
      }
    }, signal);

  return {
    touched(from, end) {
      own += 1;
      writes.count += 1;
      if (known) mark(known, from, end);
      if (isReading) since.push({ from, end });
    },
    async runs(from, end, signal) {
      const now = await current(signal);
      if (!now) return undefined;
      return extentsOf(now, from, end);
    },
    takesBytes(from, end) {
      if (from >= end) return 0;
      let blocks = Math.ceil(end / blockBytes) - Math.floor(from / blockBytes);
      if (known?.map.blockBytes === blockBytes)
        for (const run of runsOf(known, Math.floor(from / blockBytes), Math.ceil(end / blockBytes)))
          if (run.mapped) blocks -= run.end - run.begin;
      return blocks * blockBytes;
    },
  };
};
