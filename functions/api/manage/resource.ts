import { volmoveError } from '../../../domain/error.ts';
import type { ObjectReference } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import type { ApiRequest, Reply } from '../http/exchange.ts';
import { parseInput } from '../http/input.ts';
import { renderManageable, renderManageableSummary } from '../render/manageable.ts';
import { renderVolume } from '../render/volume.ts';
import { listManageable } from './list.ts';
import { manageVolume } from './manage.ts';
import { pageOfManageable } from './page.ts';
import { hostAsked } from './places.ts';
import { MANAGE } from './schema.ts';

/** Volumes that are taken over from outside, over HTTP: parse, call the use case, render. */

type Handle = (deps: Deps) => (request: ApiRequest) => Promise<Reply>;

/** From this microversion on the resource has its own name; the older one stays. */
const NAMED_FROM = 8;

const requireVersion = ({ path, version }: ApiRequest): void => {
  if (path.startsWith('/manageable_volumes') && version < NAMED_FROM) throw volmoveError('RouteNotFound', { path });
};

const list =
  (render: typeof renderManageable): Handle =>
  (deps) =>
  async (request) => {
    requireVersion(request);
    const { query, caller, signal } = request;
    const host = hostAsked(query.get('host'), query.get('cluster'));
    // the page is cut from what was found, but asked for wrongly it is refused before anybody is asked
    pageOfManageable([], new URLSearchParams([...query].filter(([name]) => name !== 'marker')));
    const all = await listManageable(deps)({ host, projectId: caller.projectId, signal });
    return { status: 200, body: { 'manageable-volumes': pageOfManageable(all, query).map(render) } };
  };

export const listSummaries = list(renderManageableSummary);
export const listDetails = list(renderManageable);

type Asked = ReturnType<typeof askedOf>;
const askedOf = (body: unknown) => parseInput(MANAGE, body).volume;

/** What the standard lets a client ask for and volmove has not: silence about it would be a lie. */
const refuseUnsupported = ({ volume_type: type, availability_zone: zone, bootable }: Asked): void => {
  if (type)
    throw volmoveError('InvalidRequest', {
      reason: `Invalid volume type: Cannot find requested '${type}' volume type`,
    });
  if (zone && zone !== 'nova')
    throw volmoveError('InvalidRequest', { reason: `Invalid input received: Availability zone '${zone}' is invalid.` });
  if (bootable)
    throw volmoveError('InvalidRequest', {
      reason: 'Invalid input received: bootable: volumes are not marked as bootable.',
    });
};

const referenceOf = (ref: Asked['ref']): ObjectReference => {
  const text = JSON.stringify(ref).slice(0, 255);
  const { 'source-name': objectName, 'source-id': objectId } = typeof ref === 'string' ? {} : ref;
  if (!objectName === !objectId) {
    const reason = objectName
      ? 'Reference must contain one of source-name and source-id, not both'
      : 'Reference must contain source-name or source-id element';
    throw volmoveError('InvalidReference', { object: text, reason });
  }
  return objectName ? { objectName } : { objectId: objectId ?? '' };
};

export const manage: Handle = (deps) => async (request) => {
  requireVersion(request);
  const asked = askedOf(request.body);
  const host = hostAsked(asked.host, asked.cluster);
  const reference = referenceOf(asked.ref);
  refuseUnsupported(asked);
  const volume = await manageVolume(deps)({
    caller: request.caller,
    host,
    reference,
    name: asked.name ?? null,
    description: asked.description ?? null,
    metadata: asked.metadata ?? {},
  });
  return { status: 202, body: { volume: renderVolume(volume, request) } };
};
