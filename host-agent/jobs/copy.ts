import type { BlockDevice } from '../../domain/block-device.ts';
import { type VolmoveError, volmoveError } from '../../domain/error.ts';
import type { CopyResult } from '../../domain/job/job.ts';
import { exportName } from '../../domain/names.ts';
import { copyDevice } from '../copy/copy.ts';
import { createTokenBucket, type TokenBucket } from '../copy/token-bucket.ts';
import { translate } from '../failures.ts';
import { connectNbd } from '../nbd/client.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';

/**
 * CopyData, on the source's host: reads the volume where it lives and writes it to the destination's export. When the
 * connection breaks it comes back under a new attempt, which is a new generation of the export, and goes on from the last
 * checkpoint; it gives up when the other agent has been away for too long.
 */
type Run = JobRun<'data.copy'>;

const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 5_000;

const connect = (parts: AgentParts, run: Run, attempt: number): Promise<BlockDevice> => {
  const { job, signal } = run;
  const { address, fingerprint } = job.input.peer;
  const colon = address.lastIndexOf(':');
  return connectNbd({
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    exportName: exportName(job.migrationId ?? '', job.run, attempt),
    tls: { keyPem: parts.identity.keyPem, certPem: parts.identity.certPem, peerFingerprint: fingerprint },
    signal,
  });
};

const PAUSE_POLL_MS = 500;

const whilePaused = async (parts: AgentParts, run: Run, signal: AbortSignal): Promise<void> => {
  while (run.control.current().paused) await parts.sleep(PAUSE_POLL_MS, signal);
};

/** The job's own limit and the host's, which all of its copies share. */
const bucketsOf = (parts: AgentParts, run: Run): TokenBucket[] => [
  createTokenBucket({
    monotonicMs: parts.monotonicMs,
    sleep: parts.sleep,
    rate: () => run.control.current().bandwidthBytesPerSecond,
  }),
  parts.hostBucket,
];

const copyOnce = async (parts: AgentParts, run: Run, attempt: number, source: BlockDevice): Promise<CopyResult> => {
  const { job, signal } = run;
  const { input } = job;
  const startedMs = parts.monotonicMs();
  const checkpoint = await parts.checkpoints.read(job.id, input.writeEpoch);
  const destination = await connect(parts, run, attempt);
  try {
    const copied = await parts.buffers.lend((window) =>
      copyDevice({
        window,
        source,
        destination,
        sizeBytes: input.sizeBytes,
        destinationIsZero: input.destinationIsZero,
        ...(checkpoint ? { checkpoint } : {}),
        onProgress: (p) => run.measured(p),
        onCheckpoint: (cp) => parts.checkpoints.write({ jobId: job.id, writeEpoch: input.writeEpoch, checkpoint: cp }),
        buckets: bucketsOf(parts, run),
        whilePaused: (during) => whilePaused(parts, run, during),
        monotonicMs: parts.monotonicMs,
        signal,
      }),
    );
    return {
      digest: input.digest ? copied.digest : null,
      writeEpoch: input.writeEpoch,
      generation: attempt,
      bytesRead: copied.bytes.read,
      bytesWritten: copied.bytes.written,
      durationMs: Math.round(parts.monotonicMs() - startedMs),
    };
  } finally {
    await destination.close();
  }
};

const comesBack = (error: VolmoveError): boolean => error.code === 'ConnectionLost';

export const copyData: JobHandler<'data.copy'> = async (parts, run) => {
  const { source } = run.job.input;
  const where = `${source.hostId}@${source.backend}#${source.pool}`;
  const { device } = await parts.backends.get(source).open(source, 'ro', run.signal);
  try {
    if (device.sizeBytes < run.job.input.sizeBytes) {
      throw volmoveError('IoError', {
        reason: `the source has ${device.sizeBytes} bytes, the volume ${run.job.input.sizeBytes}`,
      });
    }
    let attempt = run.job.attempt;
    let lastSettled = -1;
    let awaySinceMs = parts.monotonicMs();
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
      try {
        return await copyOnce(parts, run, attempt, device);
      } catch (thrown) {
        run.signal.throwIfAborted();
        const error = translate(thrown, where);
        const settled = (await parts.checkpoints.read(run.job.id, run.job.input.writeEpoch))?.settledBytes ?? 0;
        if (settled > lastSettled) {
          awaySinceMs = parts.monotonicMs();
          pauseMs = FIRST_PAUSE_MS;
        }
        lastSettled = settled;
        const awaySeconds = (parts.monotonicMs() - awaySinceMs) / 1000;
        if (!comesBack(error) || awaySeconds > parts.settings.peerAwaySeconds) throw error;
        await parts.sleep(pauseMs, run.signal);
        attempt = await run.renew();
      }
    }
  } finally {
    await device.close();
  }
};
