/**
 * A transition that need not be the only writer of its item: the fields that it changes, and what has to hold of them, whatever
 * else was written meanwhile. Many may be on their way at once without asking again (one UpdateItem of DynamoDB each).
 */
export interface Amendment {
  /** All of them, in the same write. */
  readonly when: readonly AmendmentCondition[];
  readonly set?: readonly (readonly [Path, number])[];
  /** To numbers that are there. */
  readonly add?: readonly (readonly [Path, number])[];
  /** Fields whose parents are there. */
  readonly remove?: readonly Path[];
}

/** Names of fields, from the outermost on. */
export type Path = readonly string[];

export type AmendmentCondition =
  | { readonly path: Path; readonly is: number }
  | { readonly path: Path; readonly absent: true }
  | { readonly path: Path; readonly atLeast: number }
  | { readonly path: Path; readonly atMost: number };
