import { ApiError } from '../errors.ts';
import type { Transport } from './transport.ts';
import type { Volume } from './types.ts';

/** What others have made in a pool, as the Block Storage API tells it, and what becomes of it. */

export interface Manageable {
  readonly reference: { readonly 'source-name': string };
  /** GiB, rounded up. */
  readonly size: number;
  readonly safe_to_manage: boolean;
  readonly reason_not_safe: string | null;
  readonly cinder_id: string | null;
  /** `bytes=…, source-id=…` from a service of ours. */
  readonly extra_info: string | null;
}

export interface ManageRequest {
  readonly host: string;
  readonly ref: { readonly 'source-name': string } | { readonly 'source-id': string };
  readonly name?: string;
  readonly description?: string;
}

export interface ManageCalls {
  /** In the order of the names. */
  readonly manageable: (host: string) => Promise<Manageable[]>;
  readonly manageVolume: (request: ManageRequest) => Promise<Volume>;
  /** Why a volume is in error, where the service tells. */
  readonly whyInError: (id: string) => Promise<string | undefined>;
}

const PATH = '/manageable_volumes';
/** The first that knows all of what is asked for here. */
const HEADERS = { 'openstack-api-version': 'volume 3.8' };
const PAGE_ITEMS = 1000;

export const manageCalls = (
  call: Transport,
  member: <T>(body: unknown, name: string, path: string) => T,
): ManageCalls => ({
  manageable: async (host) => {
    const found: Manageable[] = [];
    for (;;) {
      const query = { host, sort: 'reference:asc', limit: PAGE_ITEMS, offset: found.length };
      const body = await call(`${PATH}/detail`, { query, headers: HEADERS });
      const page = member<Manageable[]>(body, 'manageable-volumes', PATH);
      found.push(...page);
      if (page.length < PAGE_ITEMS) return found;
    }
  },
  manageVolume: async (volume) =>
    member(await call(PATH, { method: 'POST', body: { volume }, headers: HEADERS }), 'volume', PATH),
  whyInError: async (id) => {
    try {
      const body = await call('/messages', { query: { resource_uuid: id }, headers: HEADERS });
      return member<{ user_message: string }[]>(body, 'messages', '/messages')[0]?.user_message;
    } catch (error) {
      // it is asked for to say more of what is known already
      if (error instanceof ApiError) return undefined;
      throw error;
    }
  },
});
