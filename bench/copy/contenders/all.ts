import type { CopyCase } from '../cases.ts';
import type { Contender } from './contender.ts';
import { localPeers, verifyingPeers } from './local-peers.ts';
import { networkPeers } from './network-peers.ts';
import { ourContenders } from './ours.ts';

/** Everyone who takes part in a case, us last. */
export const contendersOf = (one: CopyCase): Contender[] => {
  const { medium, content, verified } = one;
  const local = verified ? verifyingPeers(content) : localPeers(content);
  return [...(medium === 'tcp' || medium === 'tls' ? networkPeers(medium) : local), ...ourContenders(one)];
};
