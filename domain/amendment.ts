/**
 * A transition that need not be the only writer of its item: the fields that it changes, and what has to hold of them, whatever
 * else was written meanwhile. Many may be on their way at once without asking again (one UpdateItem of DynamoDB each). No field
 * is changed twice in one, nor with one that is within it.
 */
export interface Amendment {
  /** All of them, in the same write. */
  readonly when: readonly AmendmentCondition[];
  readonly set?: readonly (readonly [Path, number])[];
  /** The number has to be there, or DynamoDB refuses the whole write. */
  readonly add?: readonly (readonly [Path, number])[];
  /** The parent of each has to be there, or DynamoDB refuses the whole write. */
  readonly remove?: readonly Path[];
}

/** Names of fields, from the outermost on. */
export type Path = readonly string[];

export type AmendmentCondition =
  | { readonly path: Path; readonly is: number }
  | { readonly path: Path; readonly absent: true }
  | { readonly path: Path; readonly atLeast: number }
  | { readonly path: Path; readonly atMost: number };
