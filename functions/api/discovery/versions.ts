import type { Reply } from '../http/exchange.ts';
import { MAX_VERSION, MIN_VERSION } from '../http/microversion.ts';

/** Version discovery: clients ask for it before anything else, some of them without a token. */

const document = (origin: string): object => ({
  versions: [
    {
      id: 'v3.0',
      status: 'CURRENT',
      version: MAX_VERSION,
      min_version: MIN_VERSION,
      updated: '2026-01-01T00:00:00Z',
      links: [{ rel: 'self', href: `${origin}/v3/` }],
      'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' }],
    },
  ],
});

export const rootVersions = (origin: string): Reply => ({ status: 300, body: document(origin) });
export const versionThree = (origin: string): Reply => ({ status: 200, body: document(origin) });
