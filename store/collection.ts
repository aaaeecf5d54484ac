import type { Decision } from '../domain/decision.ts';
import { volmoveError } from '../domain/error.ts';
import type { Key } from './keys.ts';
import type { Records, Stored } from './records.ts';

/**
 * Things of one kind, changed only through rules. `apply` reads consistently, asks the rule, and writes on condition that
 * nobody wrote in between; if somebody did, it asks again. Each write carries an id of its own, so a write of ours whose reply
 * was lost is known on that second read; and if somebody has written on top of it, the rule says `already` where it can: so a
 * lost reply is not taken for a loss (design section 3).
 */
export interface Collection<T, Id extends readonly string[]> {
  get(...id: Id): Promise<T | undefined>;
  getMany(ids: readonly Id[]): Promise<T[]>;
  /** Makes the item when it does not exist; returns what stands there in either case. */
  create(value: T): Promise<Applied<T>>;
  /**
   * Throws the rule's refusal; throws `missing` when there is no item. A rule may amend instead of write: then others may have
   * written beside it, and the value that is returned does not show what they did.
   */
  apply(id: Id, rule: (value: T) => Decision<T>, seen?: Applied<T>): Promise<Applied<T>>;
  /** Removes the item while the rule holds; true when it is gone afterwards. */
  remove(id: Id, mayGo: (value: T) => boolean): Promise<boolean>;
}

export interface Applied<T> {
  readonly value: T;
  /** False when the effect was there already. */
  readonly wrote: boolean;
  readonly rev: number;
}

export interface Shape<T, Id extends readonly string[]> {
  readonly key: (...id: Id) => Key;
  readonly idOf: (value: T) => Id;
  readonly missing: (...id: Id) => Error;
  readonly index?: (value: T) => Partial<Pick<Stored, 'kind' | 'kindSort' | 'open' | 'openSort' | 'ttl'>>;
}

const MAX_TRIES = 50;

export const collection = <T, Id extends readonly string[]>(
  records: Records,
  shape: Shape<T, Id>,
  newWriteId: () => string,
): Collection<T, Id> => {
  const item = (value: T, rev: number, writeId: string): Stored => ({
    ...shape.key(...shape.idOf(value)),
    rev,
    writeId,
    data: value,
    ...shape.index?.(value),
  });
  const found = (record: Stored): T => record.data as T;
  const write = ({ rev }: { rev: number }, { next, by }: Write<T>, writeId: string): Promise<boolean> =>
    by ? records.amend(shape.key(...shape.idOf(next)), by, writeId) : records.put(item(next, rev + 1, writeId), rev);

  return {
    async get(...id) {
      const record = await records.get(shape.key(...id));
      return record && found(record);
    },

    async getMany(ids) {
      return (await records.getMany(ids.map((id) => shape.key(...id)))).map(found);
    },

    async create(value) {
      const key = shape.key(...shape.idOf(value));
      const writeId = newWriteId();
      for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
        if (await records.put(item(value, 1, writeId), 0)) return { value, wrote: true, rev: 1 };
        const record = await records.get(key);
        if (record) return { value: found(record), wrote: record.writeId === writeId, rev: record.rev };
      }
      throw volmoveError('Contention', { id: key.pk });
    },

    async apply(id, rule, seen) {
      const key = shape.key(...id);
      const writeId = newWriteId();
      let known: Known<T> | undefined = seen;
      for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
        const record = known ?? (await read<T>(records, key));
        if (!record) throw shape.missing(...id);
        // the version that stands is ours: the write took effect and only its reply was lost
        if (record.writeId === writeId) return { value: record.value, wrote: true, rev: record.rev };
        const decision = rule(record.value);
        if (decision.kind === 'write' && (await write(record, decision, writeId)))
          return { value: decision.next, wrote: true, rev: record.rev + 1 };
        // a rule that was asked on a remembered version is asked again on what stands there, before it is believed
        const remembered = known !== undefined;
        known = undefined;
        if (remembered || decision.kind === 'write') continue;
        if (decision.kind === 'refuse') throw decision.error;
        return { value: decision.current, wrote: false, rev: record.rev };
      }
      throw volmoveError('Contention', { id: key.pk });
    },

    async remove(id, mayGo) {
      for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
        const record = await records.get(shape.key(...id));
        if (!record) return true;
        if (!mayGo(found(record))) return false;
        if (await records.remove(shape.key(...id), record.rev)) return true;
      }
      throw volmoveError('Contention', { id: shape.key(...id).pk });
    },
  };
};

type Write<T> = Extract<Decision<T>, { kind: 'write' }>;

interface Known<T> {
  readonly value: T;
  readonly rev: number;
  readonly writeId?: string;
}

const read = async <T>(records: Records, key: Key): Promise<Known<T> | undefined> => {
  const record = await records.get(key);
  return (
    record && {
      value: record.data as T,
      rev: record.rev,
      ...(record.writeId === undefined ? {} : { writeId: record.writeId }),
    }
  );
};
