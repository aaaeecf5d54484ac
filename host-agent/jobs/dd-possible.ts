import { stat } from 'node:fs/promises';
import { volmoveError } from '../../domain/error.ts';
import type { CopyInput } from '../../domain/job/job.ts';
import { formatPlacement, type ObjectRef } from '../../domain/placement.ts';
import type { AgentParts } from './context.ts';

/** Whether dd can make a copy: what the control plane cannot know, or what has changed since it looked. */

export const requireDd = (
  parts: Pick<AgentParts, 'identity' | 'settings'>,
  { peer, source }: Pick<CopyInput, 'peer' | 'source'>,
): void => {
  if (peer.fingerprint !== parts.identity.fingerprint)
    throw volmoveError('DdNotPossible', { reason: `the destination is not on ${source.hostId}, where the source is` });
  const limit = parts.settings.bandwidthBytesPerSecond;
  if (limit !== null) {
    const reason = `${source.hostId} limits its copies to ${limit} bytes a second, and dd knows no limit`;
    throw volmoveError('DdNotPossible', { reason });
  }
};

export const localPath = async (parts: AgentParts, object: ObjectRef): Promise<string> => {
  const path = await parts.backends.get(object).path(object);
  const found = path === null ? undefined : await stat(path);
  if (path === null || (!found?.isFile() && !found?.isBlockDevice())) {
    const where = path === null ? '' : ` (${path})`;
    const reason = `what is in ${formatPlacement(object)} is neither a file nor a block device of this host${where}`;
    throw volmoveError('DdNotPossible', { reason });
  }
  return path;
};
