import type { Amendment } from './amendment.ts';
import type { VolmoveError } from './error.ts';

/**
 * What a rule says about one item: write its next version, leave it because the effect is already there (a repeated
 * request, or our own write whose reply was lost), or refuse. The store turns `write` into one conditional write and asks
 * the rule again when somebody else wrote in between (design section 3: one transition = one conditional write on one item).
 */
export type Decision<T> =
  | { readonly kind: 'write'; readonly next: T; readonly by?: Amendment }
  | { readonly kind: 'already'; readonly current: T }
  | { readonly kind: 'refuse'; readonly error: VolmoveError };

export const write = <T>(next: T): Decision<T> => ({ kind: 'write', next });
/** As `by` says it, which comes to `next` when nobody else has written since. */
export const amend = <T>(next: T, by: Amendment): Decision<T> => ({ kind: 'write', next, by });
export const already = <T>(current: T): Decision<T> => ({ kind: 'already', current });
export const refuse = <T>(error: VolmoveError): Decision<T> => ({ kind: 'refuse', error });
