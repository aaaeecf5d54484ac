import type { ObjectName } from '../../../host-agent/drivers/contract.ts';
import type { AgentParts } from '../../../host-agent/jobs/context.ts';
import { PLACE } from './agent-rig.ts';

/** Where an object of the agent's own pool lies on this host. */
export const hostPath = async (
  { parts }: { readonly parts: Pick<AgentParts, 'backends'> },
  object: ObjectName,
): Promise<string> => {
  const path = await parts.backends.get(PLACE).path(object);
  if (path === null) throw new Error(`${object.objectName} has no path`);
  return path;
};
