import { volmoveError } from '../../domain/error.ts';
import type { JobKind } from '../../domain/job/job.ts';
import type { ObjectRef } from '../../domain/placement.ts';
import type { AgentParts, JobRun } from './context.ts';

/**
 * Writes to a run's destination on this very host, as the one writer that its generation has (design: one writer). A seal or a
 * higher generation aborts the signal, and waits until `write` has ended.
 */
export const asLocalWriter = async <T>(
  parts: AgentParts,
  { job, signal }: JobRun<JobKind>,
  write: (object: ObjectRef, signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const ending = new AbortController();
  let over: () => void = () => undefined;
  const written = new Promise<void>((resolve) => {
    over = resolve;
  });
  const entered = await parts.exports.enterLocal({
    migrationId: job.migrationId ?? '',
    run: job.run,
    attempt: job.attempt,
    fingerprint: parts.identity.fingerprint,
    end: () => {
      ending.abort(volmoveError('PeerRefused', { reason: 'the export was sealed or taken over during the copy' }));
      return written;
    },
  });
  if ('refused' in entered) throw volmoveError('PeerRefused', { reason: entered.refused });
  try {
    return await write(entered.object, AbortSignal.any([signal, ending.signal]));
  } finally {
    over();
  }
};
