import { volmoveError } from '../../../domain/error.ts';
import { pageOf } from '../http/page.ts';
import type { Manageable } from './list.ts';

/** Order and page of a listing, as the standard has them: by the reference, the last first, unless asked otherwise. */

type Order = (a: Manageable, b: Manageable) => number;

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const KEYS: Readonly<Record<string, Order>> = {
  reference: (a, b) => compare(a.object.objectName, b.object.objectName),
  size: (a, b) => compare(a.object.sizeBytes, b.object.sizeBytes),
};
const DIRECTIONS = ['asc', 'desc'];

const invalid = (what: string, texts: readonly string[]): void => {
  if (texts.length > 0)
    throw volmoveError('InvalidRequest', { reason: `Invalid sort ${what} passed: ${texts.join(', ').slice(0, 255)}` });
};

const sortAsked = (query: URLSearchParams): [string, string][] => {
  const sort = query.get('sort');
  if (!sort) return [[query.get('sort_key') || 'reference', query.get('sort_dir') || 'desc']];
  return sort.split(',').map((part) => {
    const [key = '', direction = 'desc'] = part.trim().split(':');
    return [key, direction];
  });
};

const orderOf = (query: URLSearchParams): Order => {
  const asked = sortAsked(query);
  invalid(
    'keys',
    asked.map(([key]) => key).filter((key) => !Object.hasOwn(KEYS, key)),
  );
  invalid(
    'dirs',
    asked.map(([, direction]) => direction).filter((direction) => !DIRECTIONS.includes(direction)),
  );
  const orders = asked.map(([key, direction]): Order => {
    const up = KEYS[key] as Order;
    return direction === 'asc' ? up : (a, b) => up(b, a);
  });
  return (a, b) => orders.reduce((found, order) => found || order(a, b), 0);
};

/** A reference as a client prints it: JSON, or the text of a Python dictionary. */
const MARKER = /^\{\s*(['"])source-(name|id)\1\s*:\s*(['"])(.*)\3\s*\}$/;

const isMarked = (marker: string): ((one: Manageable) => boolean) => {
  const [, , kind, , text] = MARKER.exec(marker) ?? [];
  return ({ object }) => (kind === 'id' ? object.objectId === text : object.objectName === (text ?? marker));
};

export const pageOfManageable = (all: readonly Manageable[], query: URLSearchParams): readonly Manageable[] => {
  const { limit, offset, marker } = pageOf(query);
  const sorted = all.toSorted(orderOf(query));
  const at = marker === undefined ? -1 : sorted.findIndex(isMarked(marker));
  if (marker !== undefined && at === -1)
    throw volmoveError('InvalidRequest', {
      reason: `Invalid input received: marker not found: ${marker.slice(0, 255)}`,
    });
  return sorted.slice(at + 1).slice(offset, offset + limit);
};
