import type * as z from 'zod';
import { volmoveError } from '../../../domain/error.ts';
import { wishBandwidth, wishPause, wishPriority, wishResume } from '../../../domain/migration/wishes.ts';
import type { Deps } from '../../shared/deps.ts';
import { type ApiRequest, param } from '../http/exchange.ts';
import { parseInput } from '../http/input.ts';
import { adjustMigration } from './adjust.ts';
import { cancelMigration } from './cancel.ts';
import { restoreVolume } from './restore.ts';
import { retryMigration } from './retry.ts';
import { NO_ARGUMENT, RESTORE, SET_BANDWIDTH, SET_PRIORITY } from './schema.ts';

/** POST /migrations/{id}/action: the body's one key says which action. Each is a wish; asked again it changes nothing. */

interface Call<P> {
  readonly migrationId: string;
  readonly by: string;
  readonly nowMs: number;
  readonly payload: P;
}

type Action = (deps: Deps, call: Call<unknown>) => Promise<unknown>;

const action =
  <S extends z.ZodType>(
    name: string,
    schema: S,
    run: (deps: Deps, call: Call<z.output<S>>) => Promise<unknown>,
  ): Action =>
  (deps, call) =>
    run(deps, { ...call, payload: parseInput(schema, call.payload, name) });

const ACTIONS: Readonly<Record<string, Action>> = {
  cancel: action('cancel', NO_ARGUMENT, (deps, { migrationId, by }) => cancelMigration(deps)({ migrationId, by })),
  pause: action('pause', NO_ARGUMENT, (deps, { migrationId, by, nowMs }) =>
    adjustMigration(deps)(migrationId, wishPause(by, nowMs)),
  ),
  resume: action('resume', NO_ARGUMENT, (deps, { migrationId, by, nowMs }) =>
    adjustMigration(deps)(migrationId, wishResume(by, nowMs)),
  ),
  restore: action('restore', RESTORE, (deps, { migrationId, by, payload }) =>
    restoreVolume(deps)({ migrationId, by, discardChanges: payload?.discard_changes ?? false }),
  ),
  retry: action('retry', NO_ARGUMENT, (deps, { migrationId, by }) => retryMigration(deps)({ migrationId, by })),
  set_bandwidth: action('set_bandwidth', SET_BANDWIDTH, (deps, { migrationId, by, nowMs, payload }) =>
    adjustMigration(deps)(migrationId, wishBandwidth(payload.bytes_per_second, by, nowMs)),
  ),
  set_priority: action('set_priority', SET_PRIORITY, (deps, { migrationId, by, nowMs, payload }) =>
    adjustMigration(deps)(migrationId, wishPriority(payload.priority, by, nowMs)),
  ),
};

export const actOn =
  (deps: Deps) =>
  async (request: ApiRequest): Promise<void> => {
    const body = request.body as Record<string, unknown>;
    const names = Object.keys(body);
    const [name] = names;
    if (name === undefined) throw volmoveError('MalformedBody', { reason: 'it names no action' });
    const found = names.length === 1 && Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (!found) {
      throw volmoveError('InvalidRequest', { reason: `There is no such action: ${names.join(', ').slice(0, 255)}` });
    }
    const { userId: by } = request.caller;
    await found(deps, { migrationId: param(request, 'id'), by, nowMs: deps.clock.nowMs(), payload: body[name] });
  };
