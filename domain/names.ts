/** Names that must never be reused: references stay true for ever because of them (design section 3, the removal rule). */

export const createdObjectName = (volumeId: string, operation: number): string =>
  `volume-${volumeId}-create-${operation}`;

export const runObjectName = (volumeId: string, migrationId: string, run: number): string =>
  `volume-${volumeId}-${migrationId}-${run}`;

/** What an object's name tells: whose it is, and who made it. `made` is null for a name that no create and no run would give. */
export interface ParsedObjectName {
  readonly volumeId: string;
  readonly made: { readonly operation: number } | { readonly migrationId: string; readonly run: number } | null;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const OBJECT = new RegExp(`^volume-(${UUID})-(.{1,100})$`);
const BY_CREATE = /^create-(\d{1,9})$/;
const BY_RUN = new RegExp(`^(${UUID})-(\\d{1,9})$`);

/** Undefined for what volmove has not named. A pool may be another installation's too, whose names look the same. */
export const parseObjectName = (name: string): ParsedObjectName | undefined => {
  const [, volumeId, rest = ''] = OBJECT.exec(name) ?? [];
  if (volumeId === undefined) return undefined;
  const created = BY_CREATE.exec(rest);
  if (created) return { volumeId, made: { operation: Number(created[1]) } };
  const [, migrationId, run] = BY_RUN.exec(rest) ?? [];
  return { volumeId, made: migrationId === undefined ? null : { migrationId, run: Number(run) } };
};

/** Of what others have made: one name in one pool, on one line as it reads; never a path, which could lead out of the pool. */
const FOREIGN = /^(?!\.{1,2}$)[^/\p{Cc}\u202a-\u202e\u2066-\u2069]{1,255}$/u;
export const isForeignName = (name: string): boolean => FOREIGN.test(name) && parseObjectName(name) === undefined;

/** Step Functions execution names: idempotent by name, so the run is part of it. */
export const executionName = (migrationId: string, run: number): string => `${migrationId}-${run}`;
export const volumeExecutionName = (volumeId: string, operation: number): string => `${volumeId}-${operation}`;

/** NBD export of one generation; a generation is ordered as the tuple (migration, run, attempt). */
export const exportName = (migrationId: string, run: number, attempt: number): string =>
  `${migrationId}.${run}.${attempt}`;

const EXPORT = /^([A-Za-z0-9-]{1,64})\.(\d{1,9})\.(\d{1,9})$/;

export const parseExportName = (name: string): { migrationId: string; run: number; attempt: number } | undefined => {
  const match = EXPORT.exec(name);
  if (!match?.[1]) return undefined;
  return { migrationId: match[1], run: Number(match[2]), attempt: Number(match[3]) };
};

/**
 * Read-only exports beside that of a generation: `tree`, the hashes of what was read back when it was sealed, all levels; `leaves`,
 * the leaf hashes of what is stored at the moment of asking.
 */
export const HASH_EXPORTS = ['tree', 'leaves'] as const;
export type HashExport = (typeof HASH_EXPORTS)[number];

export const hashExportName = (migrationId: string, run: number, attempt: number, of: HashExport): string =>
  `${exportName(migrationId, run, attempt)}.${of}`;

export const parseHashExportName = (
  name: string,
): { migrationId: string; run: number; attempt: number; of: HashExport } | undefined => {
  const of = HASH_EXPORTS.find((one) => name.endsWith(`.${one}`));
  const generation = of && parseExportName(name.slice(0, -of.length - 1));
  return generation && { ...generation, of };
};

export const hostQueueName = (hostId: string): string => `volmove-host-${hostId}`;
