import { volmoveError } from '../../../domain/error.ts';

/** Pages of a list as the standard asks for them. */
export interface PageRequest {
  readonly limit: number;
  readonly offset: number;
  /** Id of the last thing that the client has. */
  readonly marker: string | undefined;
}

/** Most that a page holds, whatever is asked for. */
export const MAX_PAGE = 1000;

/** A count in a query. Throws InvalidRequest with the standard's texts. */
export const countOf = (query: URLSearchParams, name: string, otherwise: number): number => {
  const text = query.get(name);
  if (text === null) return otherwise;
  if (!/^-?\d{1,15}$/.test(text)) throw volmoveError('InvalidRequest', { reason: `${name} param must be an integer` });
  if (Number(text) < 0) throw volmoveError('InvalidRequest', { reason: `${name} param must be positive` });
  return Number(text);
};

export const pageOf = (query: URLSearchParams): PageRequest => ({
  limit: Math.min(countOf(query, 'limit', MAX_PAGE), MAX_PAGE),
  offset: countOf(query, 'offset', 0),
  marker: query.get('marker') || undefined,
});

export interface Page<T> {
  readonly values: readonly T[];
  /** True when the page is full, so that there may be more. */
  readonly full: boolean;
}

/** Cuts a page out of what is left behind the marker, ordered and filtered already. */
export const cutPage = <T>(values: readonly T[], { limit, offset }: PageRequest): Page<T> => {
  const page = values.slice(offset, offset + limit);
  return { values: page, full: limit > 0 && page.length === limit };
};
