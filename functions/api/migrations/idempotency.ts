import { createHash } from 'node:crypto';
import { v5 as uuidOf } from 'uuid';
import type { Deps } from '../../shared/deps.ts';
import type { Migrate } from './migrate.ts';

/** What makes a request safe to repeat: its id follows from its key, and its hash tells whether it is the same request. */
export interface Repeatable {
  readonly id: string;
  /** Null without an Idempotency-Key: each such request is one of its own. */
  readonly requestHash: string | null;
}

/** Namespace of migration ids that are derived from (project, volume, key). */
const NAMESPACE = '5b1f8f9e-3c52-4d0e-9d5c-6a5f0d7d2c11';

/** One text for one meaning: keys in order, nothing undefined. */
const canonical = (value: object): string =>
  JSON.stringify(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, typeof inner === 'object' && inner !== null ? canonical(inner) : inner]),
  );

export const repeatable = (deps: Pick<Deps, 'newId'>, command: Migrate): Repeatable => {
  const { projectId, volumeId, destination, options, idempotencyKey } = command;
  if (idempotencyKey === undefined) return { id: deps.newId(), requestHash: null };
  return {
    id: uuidOf(JSON.stringify([projectId, volumeId, idempotencyKey]), NAMESPACE),
    requestHash: createHash('sha256').update(canonical({ volumeId, destination, options })).digest('hex'),
  };
};
