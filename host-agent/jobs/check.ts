import { volmoveError } from '../../domain/error.ts';
import type { CheckInput, CheckResult } from '../../domain/job/job.ts';
import { formatPlacement } from '../../domain/placement.ts';
import type { Driver } from '../drivers/contract.ts';
import type { JobHandler } from './context.ts';

/** For a dry run: what a move would meet at its source. Nothing is changed, and what is opened is closed again. */

const NEVER_MADE = '-dry-run';

const requireSource = async (driver: Driver, { source, sizeBytes }: CheckInput, signal: AbortSignal): Promise<void> => {
  const place = formatPlacement(source);
  const { objectName } = source;
  const found = await driver.find(source, signal);
  if (!found) throw volmoveError('ObjectMissing', { object: objectName, place });
  if (found.objectId !== source.objectId)
    throw volmoveError('ObjectBusy', { object: objectName, reason: 'it was replaced by another of that name' });
  if (found.sizeBytes < sizeBytes)
    throw volmoveError('DeviceShrank', {
      reason: `${objectName} in ${place} has ${found.sizeBytes} bytes, its volume ${sizeBytes}`,
    });
};

/** Undefined: it was not asked. */
const askBackend = async ({ moves }: Driver, { source, sizeBytes, moveTo }: CheckInput, signal: AbortSignal) => {
  if (moveTo === null || !moves) return undefined;
  const destination = { pool: moveTo, objectName: `${source.objectName}${NEVER_MADE}` };
  return moves.canMove({ source, destination, sizeBytes }, signal);
};

export const checkSource: JobHandler<'source.check'> = async (parts, { job, signal }): Promise<CheckResult> => {
  const { source } = job.input;
  const driver = parts.backends.get(source);
  await requireSource(driver, job.input, signal);
  const asked = await askBackend(driver, job.input, signal);
  if (asked?.ok) return { way: 'backend' };
  // a copy ends with the removal of the source: what is open, watched or has snapshots would stay behind
  await driver.removable(source, signal);
  const { device, readback } = await driver.open(source, 'ro', signal);
  await device.close();
  return { way: 'copy', why: asked?.reason ?? null, readback };
};
