import { volmoveError } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';

/** Orders of a list: `sort=key:dir,key2:dir2`, or the older `sort_key` and `sort_dir`; newest first unless said otherwise. */

type Order = (a: Volume, b: Volume) => number;

const compare = <T extends string | number>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

const KEYS: Readonly<Record<string, Order>> = {
  created_at: (a, b) => compare(a.createdAtMs, b.createdAtMs),
  updated_at: (a, b) => compare(a.updatedAtMs, b.updatedAtMs),
  id: (a, b) => compare(a.id, b.id),
  name: (a, b) => compare(a.name ?? '', b.name ?? ''),
  display_name: (a, b) => compare(a.name ?? '', b.name ?? ''),
  size: (a, b) => compare(a.sizeBytes, b.sizeBytes),
  status: (a, b) => compare(a.status, b.status),
};

const bad = (reason: string): never => {
  throw volmoveError('InvalidRequest', { reason: `Invalid input received: ${reason}` });
};

const order = (key: string, direction: string): Order => {
  const up = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
  if (!up) return bad(`there is no sort key '${key.slice(0, 255)}'`);
  if (direction !== 'asc' && direction !== 'desc') return bad(`the sort direction must be 'asc' or 'desc'`);
  return direction === 'asc' ? up : (a, b) => up(b, a);
};

const orders = (query: URLSearchParams): Order[] => {
  const sort = query.get('sort');
  if (!sort) return [order(query.get('sort_key') || 'created_at', query.get('sort_dir') || 'desc')];
  return sort.split(',').map((part) => {
    const [key = '', direction = 'desc'] = part.trim().split(':');
    return order(key, direction);
  });
};

/** The id decides last, so that pages never overlap. */
export const volumeOrder = (query: URLSearchParams): Order => {
  const asked = [...orders(query), order('id', 'desc')];
  return (a, b) => asked.reduce((found, next) => found || next(a, b), 0);
};
