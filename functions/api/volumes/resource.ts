import { volmoveError } from '../../../domain/error.ts';
import type { Deps } from '../../shared/deps.ts';
import { type ApiRequest, param, type Reply } from '../http/exchange.ts';
import { isYes } from '../http/fields.ts';
import { parseInput } from '../http/input.ts';
import { nextHref } from '../http/links.ts';
import { pageOf } from '../http/page.ts';
import { renderVolume, renderVolumeDetail, renderVolumeSummary } from '../render/volume.ts';
import { createVolume } from './create.ts';
import { deleteVolume } from './delete.ts';
import { volumeFilter } from './filters.ts';
import { listVolumes } from './list.ts';
import { CREATE, UPDATE } from './schema.ts';
import { volumeOrder } from './sort.ts';
import { updateVolume } from './update.ts';
import { findVolume } from './visible.ts';

/** Volumes over HTTP: parse, call the use case, render. */

type Handle = (deps: Deps) => (request: ApiRequest) => Promise<Reply>;

/** From this microversion on a list can tell how many there are in all. */
const COUNT_FROM = 45;

const list =
  (render: typeof renderVolume): Handle =>
  (deps) =>
  async (request) => {
    const { query, caller, version } = request;
    const { values, full, count } = await listVolumes(deps)({
      caller,
      allTenants: isYes(query.get('all_tenants')),
      page: pageOf(query),
      matches: volumeFilter(query, caller, version),
      order: volumeOrder(query),
    });
    const last = full ? values.at(-1) : undefined;
    return {
      status: 200,
      body: {
        volumes: values.map((volume) => render(volume, request)),
        ...(last ? { volumes_links: [{ rel: 'next', href: nextHref(request, last.id) }] } : {}),
        ...(version >= COUNT_FROM && isYes(query.get('with_count')) ? { count } : {}),
      },
    };
  };

export const listSummaries = list(renderVolumeSummary);
export const listDetails = list(renderVolumeDetail);

export const showVolume: Handle = (deps) => async (request) => ({
  status: 200,
  body: { volume: renderVolumeDetail(await findVolume(deps)(request.caller, param(request, 'id')), request) },
});

/** Sources that the standard has for a new volume and volmove has not: silence about them would lose somebody's data. */
const SOURCES = ['snapshot_id', 'source_volid', 'imageRef', 'backup_id', 'consistencygroup_id', 'group_id'];

const refuseUnsupported = (volume: Record<string, unknown>): void => {
  const source = SOURCES.find((key) => volume[key] !== undefined && volume[key] !== null && volume[key] !== '');
  if (source !== undefined)
    throw volmoveError('InvalidRequest', { reason: `Invalid input received: ${source}: only empty volumes are made.` });
  if (isYes(String(volume.multiattach)))
    throw volmoveError('InvalidRequest', { reason: 'Invalid input received: multiattach volumes are not made.' });
  const { volume_type: type, availability_zone: zone } = volume;
  if (typeof type === 'string' && type !== '') throw volmoveError('RouteNotFound', { path: `volume type ${type}` });
  if (typeof zone === 'string' && zone !== '' && zone !== 'nova')
    throw volmoveError('InvalidRequest', { reason: `Invalid input received: Availability zone '${zone}' is invalid.` });
};

export const create: Handle = (deps) => async (request) => {
  const body = parseInput(CREATE, request.body);
  const { volume } = body;
  refuseUnsupported(volume);
  const hints = body['OS-SCH-HNT:scheduler_hints'] ?? volume['OS-SCH-HNT:scheduler_hints'];
  const created = await createVolume(deps)({
    caller: request.caller,
    sizeGib: volume.size,
    name: volume.name ?? volume.display_name ?? null,
    description: volume.description ?? volume.display_description ?? null,
    metadata: volume.metadata ?? {},
    pool: hints?.volmove_pool ?? undefined,
  });
  return { status: 202, body: { volume: renderVolume(created, request) } };
};

export const update: Handle = (deps) => async (request) => {
  const { volume } = parseInput(UPDATE, request.body);
  const name = volume.name === undefined ? volume.display_name : volume.name;
  const description = volume.description === undefined ? volume.display_description : volume.description;
  const updated = await updateVolume(deps)({
    caller: request.caller,
    volumeId: param(request, 'id'),
    changes: {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(volume.metadata ? { metadata: volume.metadata } : {}),
    },
  });
  return { status: 200, body: { volume: renderVolume(updated, request) } };
};

export const remove: Handle = (deps) => async (request) => {
  await deleteVolume(deps)({ caller: request.caller, volumeId: param(request, 'id') });
  return { status: 202 };
};
