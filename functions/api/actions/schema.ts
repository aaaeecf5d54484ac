import * as z from 'zod';
import { flag, line } from '../http/fields.ts';

/** Payloads of POST /volumes/{id}/action. */

const how = { force_host_copy: flag.optional(), lock_volume: flag.optional() };

/** Below microversion 3.16 the host is required; from there on a cluster may stand in its place. */
export const MIGRATE = z.strictObject({ host: line, ...how }).meta({ id: 'ActionMigrate' });
export const MIGRATE_OR_CLUSTER = z
  .strictObject({ host: line.nullish(), cluster: line.nullish(), ...how })
  .meta({ id: 'ActionMigrateOrCluster' });

/** Actions without arguments: clients send null, some an empty object. */
export const NOTHING = z.looseObject({}).nullish();

export const ATTACH = z
  .looseObject({
    instance_uuid: line.nullish(),
    host_name: line.nullish(),
    mountpoint: line.min(1),
    mode: line.nullish(),
  })
  .meta({ id: 'ActionAttach' });

export const DETACH = z.looseObject({ attachment_id: line.nullish() }).nullish().meta({ id: 'ActionDetach' });

const connector = z.looseObject({ host: line.nullish() });
export const CONNECT = z.looseObject({ connector }).meta({ id: 'ActionInitializeConnection' });
export const DISCONNECT = z
  .looseObject({ connector: connector.nullish() })
  .nullish()
  .meta({ id: 'ActionTerminateConnection' });

export const RESET = z
  .strictObject({
    status: line.nullish(),
    attach_status: line.nullish(),
    migration_status: line.nullish(),
  })
  .meta({ id: 'ActionResetStatus' });

/** The whole body, for the OpenAPI document: one action a request. */
export const ACTION = z
  .union([
    z.strictObject({ 'os-migrate_volume': MIGRATE }),
    z.strictObject({ 'os-reset_status': RESET }),
    z.strictObject({ 'os-unmanage': NOTHING }),
    z.strictObject({ 'os-reserve': NOTHING }),
    z.strictObject({ 'os-unreserve': NOTHING }),
    z.strictObject({ 'os-attach': ATTACH }),
    z.strictObject({ 'os-begin_detaching': NOTHING }),
    z.strictObject({ 'os-roll_detaching': NOTHING }),
    z.strictObject({ 'os-detach': DETACH }),
    z.strictObject({ 'os-initialize_connection': CONNECT }),
    z.strictObject({ 'os-terminate_connection': DISCONNECT }),
  ])
  .meta({ id: 'VolumeAction' });
