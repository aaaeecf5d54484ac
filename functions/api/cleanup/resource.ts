import type { Deps } from '../../shared/deps.ts';
import type { ApiRequest, Reply } from '../http/exchange.ts';
import { parseInput } from '../http/input.ts';
import { renderScan } from '../render/leftover.ts';
import { placeOf } from './pools.ts';
import { remove as removeObjects } from './remove.ts';
import { scan as scanPools } from './scan.ts';
import { REMOVE, SCAN } from './schema.ts';

/** Leftovers over HTTP: our own resource, for administrators. Both are questions to hosts, so both wait some seconds. */

type Handle = (deps: Deps) => (request: ApiRequest) => Promise<Reply>;

export const scan: Handle =
  (deps) =>
  async ({ body, caller, signal }) => {
    const pools = parseInput(SCAN, body).scan?.pools?.map(({ host, after }) => ({
      place: placeOf(host),
      after: after ?? null,
    }));
    return { status: 200, body: renderScan(await scanPools(deps)({ projectId: caller.projectId, pools, signal })) };
  };

export const remove: Handle =
  (deps) =>
  async ({ body, caller, signal }) => {
    const asked = parseInput(REMOVE, body).remove;
    const objects = asked.objects.map(({ object, host, id }) => ({
      objectName: object,
      place: host ? placeOf(host) : undefined,
      objectId: id ?? null,
    }));
    const became = await removeObjects(deps)({
      projectId: caller.projectId,
      objects,
      alsoUnknown: asked.unknown ?? false,
      signal,
    });
    return {
      status: 200,
      body: {
        objects: asked.objects.map(({ object, host }, i) => ({ object, host: host ?? null, ...became[i] })),
      },
    };
  };
