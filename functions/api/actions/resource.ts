import { volmoveError } from '../../../domain/error.ts';
import type { Deps } from '../../shared/deps.ts';
import type { ApiRequest, Reply } from '../http/exchange.ts';
import type { Action } from './action.ts';
import { osInitializeConnection } from './connect.ts';
import {
  osAttach,
  osBeginDetaching,
  osDetach,
  osReserve,
  osRollDetaching,
  osTerminateConnection,
  osUnreserve,
} from './guest.ts';
import { osMigrateVolume } from './migrate.ts';
import { osResetStatus } from './reset.ts';
import { osUnmanage } from './unmanage.ts';

/** POST /volumes/{id}/action: the body's one key says which action. */

const ACTIONS = new Map<string, Action>([
  ['os-migrate_volume', osMigrateVolume],
  ['os-reset_status', osResetStatus],
  ['os-unmanage', osUnmanage],
  ['os-reserve', osReserve],
  ['os-unreserve', osUnreserve],
  ['os-attach', osAttach],
  ['os-detach', osDetach],
  ['os-begin_detaching', osBeginDetaching],
  ['os-roll_detaching', osRollDetaching],
  ['os-initialize_connection', osInitializeConnection],
  ['os-terminate_connection', osTerminateConnection],
]);

export const act =
  (deps: Deps) =>
  async (request: ApiRequest): Promise<Reply> => {
    const body = request.body as Record<string, unknown>;
    const names = Object.keys(body);
    const [name] = names;
    if (name === undefined) throw volmoveError('MalformedBody', { reason: 'it names no action' });
    const found = names.length === 1 ? ACTIONS.get(name) : undefined;
    if (!found) {
      throw volmoveError('InvalidRequest', { reason: `There is no such action: ${names.join(', ').slice(0, 255)}` });
    }
    return found(deps)(request, body[name]);
  };
