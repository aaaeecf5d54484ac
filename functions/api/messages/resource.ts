import { volmoveError } from '../../../domain/error.ts';
import type { Volume } from '../../../domain/volume/volume.ts';
import type { Deps } from '../../shared/deps.ts';
import { type ApiRequest, type Caller, isAdmin, param, type Reply } from '../http/exchange.ts';
import { cutPage, pageOf } from '../http/page.ts';
import { renderMessage, type Told } from '../render/message.ts';
import { ID, maySee } from '../volumes/visible.ts';

/** What went wrong with a volume after its request was accepted, where the standard's clients look for it: one message a volume. */

type Handle = (deps: Deps) => (request: ApiRequest) => Promise<Reply>;

/** The standard has had messages since this microversion. */
const FROM = 3;

const requireVersion = ({ path, version }: ApiRequest): void => {
  if (version < FROM) throw volmoveError('RouteNotFound', { path });
};

const toldOf = (volume: Volume, caller: Caller): Told | undefined =>
  volume.lastError && volume.status.startsWith('error')
    ? { volume, failure: volume.lastError, inFull: isAdmin(caller) }
    : undefined;

const messagesFor = async (deps: Deps, caller: Caller): Promise<Told[]> =>
  (await deps.store.volumes.all())
    .filter((volume) => volume.projectId === caller.projectId)
    .map((volume) => toldOf(volume, caller))
    .filter((told) => told !== undefined);

export const listMessages: Handle = (deps) => async (request) => {
  requireVersion(request);
  const { query } = request;
  const page = pageOf(query);
  const about = query.get('resource_uuid');
  const all = (await messagesFor(deps, request.caller)).filter(({ volume }) => !about || volume.id === about);
  const at = page.marker === undefined ? 0 : all.findIndex(({ volume }) => volume.id === page.marker) + 1;
  return {
    status: 200,
    body: { messages: cutPage(all.slice(at), page).values.map((told) => renderMessage(told, request)) },
  };
};

export const showMessage: Handle = (deps) => async (request) => {
  requireVersion(request);
  const id = param(request, 'id');
  const volume = ID.test(id) ? await deps.store.volumes.get(id) : undefined;
  const told = volume && maySee(request.caller, volume) ? toldOf(volume, request.caller) : undefined;
  if (!told) throw volmoveError('RouteNotFound', { path: `message ${id}` });
  return { status: 200, body: { message: renderMessage(told, request) } };
};
