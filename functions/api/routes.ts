import { act as actOnVolume } from './actions/resource.ts';
import { ACTION } from './actions/schema.ts';
import * as cleanup from './cleanup/resource.ts';
import { REMOVE, SCAN } from './cleanup/schema.ts';
import { listExtensions, listTypes } from './discovery/empty.ts';
import { showLimits } from './discovery/limits.ts';
import { listHosts, listPools, listServices } from './hosts/resource.ts';
import type { Role } from './http/exchange.ts';
import type { Route } from './http/router.ts';
import * as manage from './manage/resource.ts';
import { MANAGE } from './manage/schema.ts';
import { listMessages, showMessage } from './messages/resource.ts';
import * as migrations from './migrations/resource.ts';
import { ACT_ON_MIGRATION, CREATE_MIGRATION } from './migrations/schema.ts';
import * as volumes from './volumes/resource.ts';
import { CREATE, UPDATE } from './volumes/schema.ts';

/** Every resource, below /v3 and the project. A rule's name is the standard's where it has one. */

type Entry = Omit<Route, 'method' | 'path' | 'policy' | 'answers'>;

const policyOf = (role: Role) => (rule: string) => ({ role, rule });
const reader = policyOf('reader');
const member = policyOf('member');
const admin = policyOf('admin');
const migrationsRule = admin('volmove:migrations');

const get = (path: string, policy: Route['policy'], entry: Entry): Route => ({
  method: 'GET',
  path,
  policy,
  answers: 200,
  ...entry,
});

/** The same under its newer name and under the older one, which clients of older microversions use. */
const manageable = (path: string): readonly Route[] => [
  get(path, admin('volume_extension:list_manageable'), {
    summary: 'List what lies in a pool and could be taken over.',
    handle: manage.listSummaries,
  }),
  get(`${path}/detail`, admin('volume_extension:list_manageable'), {
    summary: 'List what lies in a pool and could be taken over, or why not.',
    handle: manage.listDetails,
  }),
  {
    method: 'POST',
    path,
    policy: admin('volume_extension:volume_manage'),
    summary: 'Take over what lies in a pool as a volume.',
    body: MANAGE,
    answers: 202,
    handle: manage.manage,
  },
];

const STANDARD: readonly Route[] = [
  get('/volumes', reader('volume:get_all'), { summary: 'List volumes.', handle: volumes.listSummaries }),
  get('/volumes/detail', reader('volume:get_all'), { summary: 'List volumes, whole.', handle: volumes.listDetails }),
  get('/volumes/{id}', reader('volume:get'), { summary: 'Show a volume.', handle: volumes.showVolume }),
  {
    method: 'POST',
    path: '/volumes',
    policy: member('volume:create'),
    summary: 'Create a volume.',
    body: CREATE,
    answers: 202,
    handle: volumes.create,
  },
  {
    method: 'PUT',
    path: '/volumes/{id}',
    policy: member('volume:update'),
    summary: 'Change what a volume is called.',
    body: UPDATE,
    answers: 200,
    handle: volumes.update,
  },
  {
    method: 'DELETE',
    path: '/volumes/{id}',
    policy: member('volume:delete'),
    summary: 'Delete a volume.',
    answers: 202,
    handle: volumes.remove,
  },
  {
    method: 'POST',
    path: '/volumes/{id}/action',
    // each action has a policy of its own, asked after the volume was found
    policy: null,
    summary: 'Migrate, attach, detach, reset or give up a volume.',
    body: ACTION,
    answers: 202,
    handle: actOnVolume,
  },
  ...manageable('/manageable_volumes'),
  ...manageable('/os-volume-manage'),
  get('/messages', reader('message:get_all'), { summary: 'List why volumes are in error.', handle: listMessages }),
  get('/messages/{id}', reader('message:get'), { summary: 'Show why a volume is in error.', handle: showMessage }),
  get('/types', reader('volume_extension:type_get_all'), { summary: 'List volume types.', handle: listTypes }),
  get('/extensions', null, { summary: 'List extensions.', handle: listExtensions }),
  get('/limits', null, { summary: 'Show limits and what is used.', handle: showLimits }),
  get('/os-services', admin('volume_extension:services:index'), { summary: 'List services.', handle: listServices }),
  get('/scheduler-stats/get_pools', admin('scheduler_extension:scheduler_stats:get_pools'), {
    summary: 'List pools.',
    handle: listPools,
  }),
];

const OURS: readonly Route[] = [
  get('/hosts', admin('volmove:hosts'), { summary: 'List hosts with their backends and pools.', handle: listHosts }),
  get('/migrations', migrationsRule, { summary: 'List migrations, newest first.', handle: migrations.list }),
  get('/migrations/{id}', migrationsRule, { summary: 'Show a migration.', handle: migrations.show }),
  get('/migrations/{id}/progress', migrationsRule, { summary: 'Show how far it is.', handle: migrations.progress }),
  get('/migrations/{id}/events', migrationsRule, { summary: 'Replay its events.', handle: migrations.events }),
  {
    method: 'POST',
    path: '/migrations',
    policy: migrationsRule,
    summary: 'Migrate a volume, or check whether it could be.',
    body: CREATE_MIGRATION,
    answers: 202,
    handle: migrations.create,
  },
  {
    method: 'POST',
    path: '/migrations/{id}/action',
    policy: migrationsRule,
    summary: 'Cancel, pause, resume, limit, prioritise or retry a migration, or take its volume back to the source.',
    body: ACT_ON_MIGRATION,
    answers: 202,
    handle: migrations.act,
  },
  {
    method: 'POST',
    path: '/cleanup/scan',
    policy: admin('volmove:cleanup'),
    summary: 'List what is left over: what is known, and what lies in the pools and nobody wants.',
    body: SCAN,
    answers: 200,
    handle: cleanup.scan,
  },
  {
    method: 'POST',
    path: '/cleanup/remove',
    policy: admin('volmove:cleanup'),
    summary: 'Remove leftovers by their exact names; what a volume refers to is refused.',
    body: REMOVE,
    answers: 200,
    handle: cleanup.remove,
  },
];

export const ROUTES: readonly Route[] = [...STANDARD, ...OURS.map((route) => ({ ...route, ours: true }))];
