import { volmoveError } from '../../domain/error.ts';
import { digestDevice } from '../digest/digest-device.ts';
import type { JobHandler } from './context.ts';

/**
 * VerifyData, on the destination's host: seals the run's export for ever, then reads back what is stored with a fresh open.
 * From the seal on no byte can arrive any more, so what is digested is what stays.
 */
export const verifyData: JobHandler<'data.verify'> = async (parts, run) => {
  const { job, signal } = run;
  const { object, sizeBytes } = job.input;
  const sealed = job.migrationId === null ? undefined : await parts.exports.seal(job.migrationId, job.run);
  if (!sealed) throw volmoveError('NoProof', { reason: 'this host has no export of that run to seal' });
  if (sealed.object.objectId !== object.objectId) {
    throw volmoveError('NoProof', {
      reason: `the export wrote to ${sealed.object.objectId}, not to ${object.objectId}`,
    });
  }
  if (!job.input.digest) return { digest: null, generation: sealed.generation, readback: 'direct' };
  const { device, readback } = await parts.backends.get(object).open(object, 'ro', signal);
  try {
    const digest = await parts.buffers.lend((window) =>
      digestDevice({
        window,
        device,
        sizeBytes,
        onProgress: (p) => run.measured(p),
        monotonicMs: parts.monotonicMs,
        signal,
      }),
    );
    return { digest, generation: sealed.generation, readback };
  } finally {
    await device.close();
  }
};
