/**
 * A queue for several that share: next is the one that was given the fewest bytes, whatever the number and size of its requests.
 * Whoever was away comes back at the level of the others: it neither saved up nor fell behind.
 */
export interface FairQueue<T extends Sized> {
  readonly isEmpty: boolean;
  join(): Place<T>;
  /** Takes it out of the queue, and counts it as given. */
  next(): T | undefined;
  /** Everything that waits, taken out without being given. */
  clear(): T[];
}

export interface Sized {
  readonly bytes: number;
}

/** What one of them has waiting, in order. */
export interface Place<T> {
  add(item: T): void;
  remove(item: T): void;
  /** Given without having waited. */
  give(bytes: number): void;
}

interface Member<T> {
  given: number;
  readonly waiting: T[];
}

export const createFairQueue = <T extends Sized>(): FairQueue<T> => {
  const active = new Set<Member<T>>();
  /** How much the one that was served last had been given before that. */
  let level = 0;

  const comeBack = (member: Member<T>): void => {
    if (member.waiting.length === 0) member.given = Math.max(member.given, level);
  };
  const give = (member: Member<T>, bytes: number): void => {
    level = member.given;
    member.given += bytes;
  };

  return {
    get isEmpty() {
      return active.size === 0;
    },
    join() {
      const member: Member<T> = { given: 0, waiting: [] };
      return {
        add(item) {
          comeBack(member);
          member.waiting.push(item);
          active.add(member);
        },
        remove(item) {
          const at = member.waiting.indexOf(item);
          if (at >= 0) member.waiting.splice(at, 1);
          if (member.waiting.length === 0) active.delete(member);
        },
        give(bytes) {
          comeBack(member);
          give(member, bytes);
        },
      };
    },
    next() {
      let next: Member<T> | undefined;
      for (const member of active) if (!next || member.given < next.given) next = member;
      const item = next?.waiting.shift();
      if (!next || !item) return undefined;
      if (next.waiting.length === 0) active.delete(next);
      give(next, item.bytes);
      return item;
    },
    clear() {
      const all = [...active].flatMap((member) => member.waiting.splice(0));
      active.clear();
      return all;
    },
  };
};
