import type { Host } from '../../../domain/host/host.ts';
import type { Deps } from '../../shared/deps.ts';
import type { ApiRequest, Reply } from '../http/exchange.ts';
import { isYes } from '../http/fields.ts';
import { renderHost, renderPools, renderServices } from '../render/host.ts';

/** Hosts and pools over HTTP, for administrators; in the order of their names. */

type Handle = (deps: Deps) => (request: ApiRequest) => Promise<Reply>;

const hostsOf = async (deps: Pick<Deps, 'store'>): Promise<Host[]> =>
  (await deps.store.hosts.all()).sort((a, b) => (a.id < b.id ? -1 : 1));

export const listHosts: Handle = (deps) => async () => {
  const nowMs = deps.clock.nowMs();
  return { status: 200, body: { hosts: (await hostsOf(deps)).map((host) => renderHost(host, nowMs)) } };
};

export const listServices: Handle =
  (deps) =>
  async ({ version, query }) => {
    const nowMs = deps.clock.nowMs();
    const [onHost, binary] = [query.get('host'), query.get('binary')];
    const services = (await hostsOf(deps))
      .filter((host) => !onHost || host.id === onHost || onHost.startsWith(`${host.id}@`))
      .flatMap((host) => renderServices(host, nowMs, version));
    return { status: 200, body: { services: !binary || binary === 'cinder-volume' ? services : [] } };
  };

export const listPools: Handle =
  (deps) =>
  async ({ query }) => {
    const nowMs = deps.clock.nowMs();
    const detail = isYes(query.get('detail'));
    return { status: 200, body: { pools: (await hostsOf(deps)).flatMap((host) => renderPools(host, nowMs, detail)) } };
  };
