import type * as z from 'zod';
import { devicePathOf } from '../../../domain/host/host.ts';
import { connect } from '../../../domain/volume/guest.ts';
import { parseInput } from '../http/input.ts';
import { renderConnection } from '../render/connection.ts';
import { action } from './action.ts';
import { CONNECT } from './schema.ts';

/** os-initialize_connection: where a guest finds the bytes. Answered from the write's own result, never from an earlier read. */

const NAME = 'os-initialize_connection';

/** Connectors that do not say which host they are on share one connection. */
const NAMELESS = 'unknown';

export const osInitializeConnection = action<z.output<typeof CONNECT>>({
  policy: { rule: 'volume_extension:volume_actions:initialize_connection', role: 'member' },
  parse: (payload) => parseInput(CONNECT, payload, NAME),
  run:
    (deps) =>
    async ({ volume, payload }) => {
      const connector = payload.connector.host || NAMELESS;
      const rule = connect({ id: connector, host: connector, atMs: deps.clock.nowMs() });
      const { value } = await deps.store.volumes.apply([volume.id], rule);
      const host = value.location ? await deps.store.hosts.get(value.location.hostId) : undefined;
      const path = value.location ? devicePathOf(host, value.location) : null;
      return { status: 200, body: { connection_info: renderConnection(value, path) } };
    },
});
