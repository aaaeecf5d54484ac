import type * as z from 'zod';
import type { Decision } from '../../../domain/decision.ts';
import { volmoveError } from '../../../domain/error.ts';
import {
  attach,
  beginDetaching,
  detach,
  disconnect,
  reserve,
  rollDetaching,
  unreserve,
} from '../../../domain/volume/guest.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { parseInput } from '../http/input.ts';
import { type Action, action } from './action.ts';
import { ATTACH, DETACH, DISCONNECT, NOTHING } from './schema.ts';

/** Actions that give a guest a path to the volume or take it away: each is one rule of the domain, written at once. */

type Rule<P> = (payload: P, deps: Deps) => (volume: Volume) => Decision<Volume>;

const guestAction = <S extends z.ZodType>(name: string, rule: string, schema: S, decide: Rule<z.output<S>>): Action =>
  action<z.output<S>>({
    policy: { rule: `volume_extension:volume_actions:${rule}`, role: 'member' },
    parse: (payload) => parseInput(schema, payload, name),
    run:
      (deps) =>
      async ({ volume, payload }) => {
        await deps.store.volumes.apply([volume.id], decide(payload, deps));
        return { status: 202 };
      },
  });

const simple = (name: string, rule: string, decide: (nowMs: number) => (volume: Volume) => Decision<Volume>): Action =>
  guestAction(name, rule, NOTHING, (_, { clock }) => decide(clock.nowMs()));

export const osReserve = simple('os-reserve', 'reserve', (nowMs) => reserve(nowMs));
export const osUnreserve = simple('os-unreserve', 'unreserve', unreserve);
export const osBeginDetaching = simple('os-begin_detaching', 'begin_detaching', beginDetaching);
export const osRollDetaching = simple('os-roll_detaching', 'roll_detaching', rollDetaching);

const attachmentOf = ({
  instance_uuid: instanceId,
  host_name: hostName,
  mode,
  mountpoint,
}: z.output<typeof ATTACH>) => {
  if (!instanceId && !hostName)
    throw volmoveError('InvalidRequest', { reason: 'Invalid request to attach volume to an invalid target' });
  const wanted = mode ?? 'rw';
  if (wanted !== 'rw' && wanted !== 'ro')
    throw volmoveError('InvalidRequest', {
      reason: "Invalid request to attach volume with an invalid mode. Attaching mode should be 'rw' or 'ro'",
    });
  return { instanceId: instanceId || null, hostName: hostName || null, mountpoint, mode: wanted } as const;
};

export const osAttach = guestAction('os-attach', 'attach', ATTACH, (payload, { newId, clock }) =>
  attach({ id: newId(), atMs: clock.nowMs(), ...attachmentOf(payload) }),
);

export const osDetach = guestAction('os-detach', 'detach', DETACH, (payload, { clock }) =>
  detach(payload?.attachment_id || null, clock.nowMs()),
);

export const osTerminateConnection = guestAction(
  'os-terminate_connection',
  'terminate_connection',
  DISCONNECT,
  (payload, { clock }) => disconnect(payload?.connector?.host || null, clock.nowMs()),
);
