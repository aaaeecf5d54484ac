import type * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';
import { RESET_MIGRATION_STATUSES, type ResetStatus, resetStatus } from '../../../domain/volume/reset.ts';
import { VOLUME_STATUSES } from '../../../domain/volume/volume.ts';
import { parseInput } from '../http/input.ts';
import { action } from './action.ts';
import { RESET } from './schema.ts';

/** os-reset_status: an administrator's word against the record. */

const NAME = 'os-reset_status';
/** Only a delete may say `deleting`, or the object would stay behind; and the others say what was asked of the volume. */
const STATUSES = VOLUME_STATUSES.filter((status) => !['deleting', 'managing', 'error_managing'].includes(status));
const ATTACH_STATUSES = ['attached', 'detached'] as const;

const oneOf = <T extends string>(what: string, text: string, valid: readonly T[]): T => {
  const found = valid.find((value) => value === text.toLowerCase());
  if (found === undefined) {
    throw volmoveError('InvalidRequest', {
      reason: `${what}: ${text} is invalid, valid statuses are: (${valid.map((value) => `'${value}'`).join(', ')}).`,
    });
  }
  return found;
};

const migrationStatusOf = (text: string): NonNullable<ResetStatus['migrationStatus']> | null => {
  const found = oneOf('Volume migration status', text, RESET_MIGRATION_STATUSES);
  return found === 'none' ? null : found;
};

const commandOf = (asked: z.output<typeof RESET>): Omit<ResetStatus, 'nowMs'> => {
  const { status, attach_status: attach, migration_status: migration } = asked;
  if (!status && !attach && !migration) {
    throw volmoveError('InvalidRequest', {
      reason: "Must specify 'status', 'attach_status' or 'migration_status' for update.",
    });
  }
  return {
    ...(status ? { status: oneOf('Volume status', status, STATUSES) } : {}),
    ...(attach ? { attachStatus: oneOf('Volume attach status', attach, ATTACH_STATUSES) } : {}),
    ...(migration ? { migrationStatus: migrationStatusOf(migration) } : {}),
  };
};

export const osResetStatus = action<Omit<ResetStatus, 'nowMs'>>({
  policy: { rule: 'volume_extension:volume_admin_actions:reset_status', role: 'admin' },
  parse: (payload) => commandOf(parseInput(RESET, payload, NAME)),
  run:
    (deps) =>
    async ({ volume, payload }) => {
      await deps.store.volumes.apply([volume.id], resetStatus({ ...payload, nowMs: deps.clock.nowMs() }));
      return { status: 202 };
    },
});
