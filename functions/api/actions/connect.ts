import type * as z from 'zod';
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
      const host = payload.connector.host || NAMELESS;
      const rule = connect({ id: host, host, atMs: deps.clock.nowMs() });
      const { value } = await deps.store.volumes.apply([volume.id], rule);
      return { status: 200, body: { connection_info: renderConnection(value) } };
    },
});
