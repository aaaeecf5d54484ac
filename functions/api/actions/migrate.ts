import { volmoveError } from '../../../domain/error.ts';
import { parseInput } from '../http/input.ts';
import type { Microversion } from '../http/microversion.ts';
import { migrate } from '../migrations/migrate.ts';
import { action } from './action.ts';
import { MIGRATE, MIGRATE_OR_CLUSTER } from './schema.ts';

/** os-migrate_volume: the standard's way to ask for a migration; its answer has no body. */

const NAME = 'os-migrate_volume';

/** From this microversion on a request may name a cluster instead of a host. */
const CLUSTER_FROM = 16;

interface Asked {
  readonly host: string;
  readonly lock: boolean;
  readonly forceHostCopy: boolean;
}

/** The cluster of a newer request; volmove has none, so naming one is naming a host that is not there. */
const hostOf = (host: string | undefined, cluster: string | undefined): string => {
  if ((host === undefined) === (cluster === undefined)) {
    throw volmoveError('InvalidRequest', {
      reason: 'Invalid input received: One and only one of cluster and host must be set.',
    });
  }
  if (host === undefined) throw volmoveError('HostUnavailable', { host: cluster ?? '' });
  return host;
};

const parse = (payload: unknown, version: Microversion): Asked => {
  if (version < CLUSTER_FROM) {
    const {
      host,
      lock_volume: lock = false,
      force_host_copy: forceHostCopy = false,
    } = parseInput(MIGRATE, payload, NAME);
    return { host, lock, forceHostCopy };
  }
  const asked = parseInput(MIGRATE_OR_CLUSTER, payload, NAME);
  return {
    host: hostOf(asked.host || undefined, asked.cluster || undefined),
    lock: asked.lock_volume ?? false,
    forceHostCopy: asked.force_host_copy ?? false,
  };
};

export const osMigrateVolume = action<Asked>({
  policy: { rule: 'volume_extension:volume_admin_actions:migrate_volume', role: 'admin' },
  parse,
  run:
    (deps) =>
    async ({ caller, volume, payload: { host, lock, forceHostCopy } }) => {
      await migrate(deps)({
        projectId: caller.projectId,
        requestedBy: caller.userId,
        volumeId: volume.id,
        destination: host,
        options: { lock, forceHostCopy, verify: 'full', sourceRetentionSeconds: 0 },
        idempotencyKey: undefined,
      });
      return { status: 202 };
    },
});
