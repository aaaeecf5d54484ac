import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { takeJob } from '../../domain/job/steps.ts';
import { wishPause } from '../../domain/migration/wishes.ts';
import { attach, connect, reserve } from '../../domain/volume/guest.ts';
import type { Volume } from '../../domain/volume/volume.ts';
import { createApi } from '../../functions/api/app.ts';
import { noauth } from '../../functions/api/http/noauth.ts';
import type { Deps } from '../../functions/shared/deps.ts';
import { sweep } from '../../functions/upkeep/sweep.ts';
import { eventOf } from '../api/world.ts';
import { MIGRATION_ID, VOLUME_ID } from '../helpers/factories.ts';
import { createRig, jobId, type Rig } from '../helpers/rig.ts';
import { stateOf, walkTo } from '../workflow/walk.ts';
import { type Moment, mortal } from './dying.ts';

/** The API's function dies in the middle of a request, before or after any of its writes and calls. */

interface Asked {
  readonly name: string;
  /** The world that it meets. */
  readonly meets: () => Promise<Rig>;
  readonly method?: string;
  readonly path: string;
  readonly body?: object;
}

const VOLUME = `/v3/volumes/${VOLUME_ID}`;
const ACTION = `/v3/migrations/${MIGRATION_ID}/action`;
const connection = { id: 'c', host: 'guest', atMs: 0 };
const attachment = { id: 'a', instanceId: null, hostName: 'guest', mountpoint: '/', mode: 'rw', atMs: 0 } as const;

/** In mid-copy, by an agent that has the job. */
const copying = async (): Promise<Rig> => {
  const rig = await createRig();
  rig.executions.set(`${MIGRATION_ID}-1`, { state: 'RUNNING', cause: '' });
  await walkTo(rig, 'agent ends data.copy');
  await rig.deps.store.jobs.apply(['host-a', jobId('data.copy')], takeJob('host-a-1', 0, rig.clock.nowMs()));
  return rig;
};
const paused = async (): Promise<Rig> => {
  const rig = await copying();
  await rig.deps.store.migrations.apply([MIGRATION_ID], wishPause('admin', rig.clock.nowMs()));
  await sweep(rig.deps)({ full: false });
  return rig;
};
const idle = async (...rules: Parameters<Deps['store']['volumes']['apply']>[1][]): Promise<Rig> => {
  const rig = await createRig({ claimed: false });
  await rig.deps.store.migrations.remove([MIGRATION_ID], () => true);
  for (const rule of rules) await rig.deps.store.volumes.apply([VOLUME_ID], rule);
  return rig;
};
const attached = [reserve(0), connect(connection), attach(attachment)];
const detaching = (volume: Volume) => ({ kind: 'write' as const, next: { ...volume, status: 'detaching' as const } });
const connector = { connector: { host: 'guest', initiator: 'iqn.guest' } };

const REQUESTS: readonly Asked[] = [
  { name: 'cancel', meets: copying, path: ACTION, body: { cancel: {} } },
  { name: 'pause', meets: copying, path: ACTION, body: { pause: {} } },
  { name: 'resume', meets: paused, path: ACTION, body: { resume: {} } },
  { name: 'set_bandwidth', meets: copying, path: ACTION, body: { set_bandwidth: { bytes_per_second: 7 } } },
  { name: 'set_priority', meets: copying, path: ACTION, body: { set_priority: { priority: 'high' } } },
  {
    name: 'os-reset_status',
    meets: copying,
    path: `${VOLUME}/action`,
    body: { 'os-reset_status': { status: 'available', migration_status: 'none' } },
  },
  {
    name: 'os-reserve of a volume in mid-copy',
    meets: copying,
    path: `${VOLUME}/action`,
    body: { 'os-reserve': null },
  },
  {
    name: 'os-initialize_connection',
    meets: () => idle(reserve(0)),
    path: `${VOLUME}/action`,
    body: { 'os-initialize_connection': connector },
  },
  {
    name: 'os-attach',
    meets: () => idle(reserve(0), connect(connection)),
    path: `${VOLUME}/action`,
    body: { 'os-attach': { host_name: 'guest', mountpoint: '/' } },
  },
  {
    name: 'os-begin_detaching',
    meets: () => idle(...attached),
    path: `${VOLUME}/action`,
    body: { 'os-begin_detaching': null },
  },
  { name: 'os-detach', meets: () => idle(...attached, detaching), path: `${VOLUME}/action`, body: { 'os-detach': {} } },
  { name: 'DELETE of a volume', meets: () => idle(), method: 'DELETE', path: VOLUME },
];

const MIGRATE: Asked = {
  name: 'POST /migrations with an Idempotency-Key',
  meets: () => idle(),
  path: '/v3/migrations',
  body: { migration: { volume_id: VOLUME_ID, destination: 'host-b@files#ssd', lock: true } },
};

const send = async (deps: Deps, { method = 'POST', path, body }: Asked): Promise<number> => {
  const api = createApi(deps, { authenticate: noauth, report: () => undefined });
  const headers = { 'idempotency-key': 'the same' };
  const { statusCode } = await api(eventOf(method, path, { body, headers }), {} as Context);
  return statusCode ?? 0;
};

/** What is in the table and what was started, when the sweeper has come by. */
const settled = async (rig: Rig) => {
  // the sweeper leaves what is young to those who are about to do it
  rig.clock.advanceMs(3_000);
  for (let pass = 0; pass < 3; pass++) await sweep(rig.deps)({ full: false });
  return { table: await stateOf(rig), started: new Set(rig.executions.started.map(({ name }) => name)) };
};

const undisturbed = async (asked: Asked): Promise<{ rig: Rig; acts: number }> => {
  const rig = await asked.meets();
  const { deps, acts } = mortal(rig);
  const status = await send(deps, asked);
  expect(status).toBeLessThan(300);
  return { rig, acts: acts() };
};

const struck = async (asked: Asked, at: number, moment: Moment): Promise<Rig> => {
  const rig = await asked.meets();
  const { deps, death } = mortal(rig, at, moment);
  expect(await Promise.race([send(deps, asked), death])).toBe('died');
  return rig;
};

const MOMENTS: readonly Moment[] = ['before', 'after'];

describe.each(REQUESTS)('$name, whose function dies', (asked) => {
  it('before or after any of its acts, is as if it had been asked or had never been, once the sweeper has passed', async () => {
    const { rig, acts } = await undisturbed(asked);
    const outcomes = [await settled(await asked.meets()), await settled(rig)];

    for (let at = 1; at <= acts; at++) {
      for (const moment of MOMENTS) {
        const left = await settled(await struck(asked, at, moment));
        expect(outcomes).toContainEqual(left);
      }
    }

    expect(acts).toBeGreaterThan(0);
    expect(outcomes[0]).not.toEqual(outcomes[1]);
  });
});

describe.each([...REQUESTS, MIGRATE])('$name, sent again after its function has died', (asked) => {
  it('comes to what it would have come to at once, whichever act was the last', async () => {
    const { rig, acts } = await undisturbed(asked);
    const meant = await settled(rig);

    expect(acts).toBeGreaterThan(0);
    for (let at = 1; at <= acts; at++) {
      for (const moment of MOMENTS) {
        const again = await struck(asked, at, moment);
        await send(mortal(again).deps, asked);
        expect(await settled(again)).toEqual(meant);
      }
    }
  });
});
