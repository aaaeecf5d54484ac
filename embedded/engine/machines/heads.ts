// The index of a machine's executions: what a list shows of each, newest first; everything else stays on disk.
import type { Summary } from '../journal/lines.ts';
import type { ExecutionStatus } from '../run/frame.ts';

/** A place in the order of heads: that of the head with this start and name, whether it is there or not. */
export interface HeadPosition {
  readonly startMs: number;
  readonly name: string;
}

export interface Heads {
  get(name: string): Summary | undefined;
  /** Adds a head, or replaces the one of this name; its start does not change. */
  put(head: Summary): void;
  /** The newest heads after a position, at most `limit`, and whether there are more. */
  page(filter: ExecutionStatus | undefined, after: HeadPosition | undefined, limit: number): HeadPage;
}

export interface HeadPage {
  readonly heads: readonly Summary[];
  readonly hasMore: boolean;
}

export function createHeads(): Heads {
  const byName = new Map<string, Summary>();
  const oldestFirst: HeadPosition[] = [];
  return {
    get: (name) => byName.get(name),
    put(head) {
      const isNew = !byName.has(head.name);
      byName.set(head.name, head);
      if (isNew) oldestFirst.splice(indexOf(oldestFirst, head), 0, { startMs: head.startMs, name: head.name });
    },
    page(filter, after, limit) {
      const heads: Summary[] = [];
      const start = after === undefined ? oldestFirst.length : indexOf(oldestFirst, after);
      for (let index = start - 1; index >= 0; index -= 1) {
        const head = byName.get(oldestFirst[index]?.name ?? '');
        if (head === undefined || (filter !== undefined && head.status !== filter)) continue;
        if (heads.length === limit) return { heads, hasMore: true };
        heads.push(head);
      }
      return { heads, hasMore: false };
    },
  };
}

/** Where the position is, or would be inserted. */
function indexOf(positions: readonly HeadPosition[], wanted: HeadPosition): number {
  let [low, high] = [0, positions.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const position = positions[middle];
    if (position !== undefined && isBefore(position, wanted)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(one: HeadPosition, other: HeadPosition): boolean {
  return one.startMs === other.startMs ? one.name < other.name : one.startMs < other.startMs;
}
