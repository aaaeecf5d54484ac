import { realpath } from 'node:fs/promises';
import { volmoveError } from '../../../domain/error.ts';
import type { FoundObject } from '../contract.ts';
import { processesWithOpen } from './users.ts';

export interface NamedFile {
  readonly objectName: string;
  readonly objectId: string | null;
}

/** ObjectBusy when it is another file by now, or a process of this host has it open. */
export const requireIdle = async (
  { objectName, objectId }: NamedFile,
  path: string,
  there: FoundObject,
): Promise<void> => {
  const busy = (reason: string) => volmoveError('ObjectBusy', { object: objectName, reason });
  if (objectId !== null && objectId !== there.objectId)
    throw busy(`it is ${there.objectId} now, not ${objectId}: somebody replaced it`);
  const holders = await processesWithOpen(await realpath(path));
  if (holders.length > 0) throw busy(`process ${holders.join(', ')} has it open`);
};
