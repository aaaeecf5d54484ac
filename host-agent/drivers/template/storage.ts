/**
 * Stands for the client of a storage system, which a real driver reaches by a program, a library or HTTP. In memory, and no
 * configuration can name it: it is here so that the template is a whole driver, which the conformance suite runs.
 */
export interface Item {
  readonly id: string;
  content: Buffer;
  /** The mark of what volmove has made. */
  readonly ours: boolean;
  readonly madeAtMs: number;
  /** Who has it open. */
  users: number;
}

export interface Storage {
  /** Identity of the real pool, which stays when it is renamed or moved to another address. */
  readonly poolId: string;
  readonly capacityBytes: number;
  readonly items: Map<string, Item>;
}

/** Rejects while the storage system cannot be reached. */
export type Connect = (signal: AbortSignal) => Promise<Storage>;
