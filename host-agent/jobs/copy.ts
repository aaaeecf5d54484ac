import type { BlockDevice } from '../../domain/block-device.ts';
import { volmoveError } from '../../domain/error.ts';
import type { CopyResult } from '../../domain/job/job.ts';
import { exportName, hashExportName } from '../../domain/names.ts';
import { type CopyRequest, copyDevice, leafReaderOf } from '../copy/copy.ts';
import type { LeafFile } from '../digest/leaf-file.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';
import { checkpointOf, compares } from './copy-checkpoint.ts';
import { bucketsOf, whilePaused } from './heeding.ts';
import { comingBack, connectPeer } from './peer.ts';

/**
 * CopyData, on the source's host: reads the volume where it lives and writes it to the destination's export. When the
 * connection breaks it comes back under a new attempt, which is a new generation of the export, and goes on from the last
 * checkpoint, a retry from that of the run before; it gives up when the other agent has been away for too long.
 */
type Run = JobRun<'data.copy'>;

/** After its writer has entered: no older generation changes any more what is hashed. */
const connectLeaves = (parts: AgentParts, run: Run, attempt: number): Promise<BlockDevice> =>
  connectPeer(parts, run, hashExportName(run.job.migrationId ?? '', run.job.run, attempt, 'leaves'));

const compared = (stored: BlockDevice | undefined): Partial<CopyRequest> =>
  stored ? { destinationLeaves: leafReaderOf(stored), destinationIsZero: false } : {};

interface Try {
  readonly attempt: number;
  readonly source: BlockDevice;
  /** A pause is over. */
  readonly onRested: () => void;
}

const copyOnce = async (parts: AgentParts, run: Run, { attempt, source, onRested }: Try): Promise<CopyResult> => {
  const { job, signal } = run;
  const { input } = job;
  const startedMs = parts.monotonicMs();
  const checkpoint = await checkpointOf(parts, run);
  const destination = await connectPeer(parts, run, exportName(job.migrationId ?? '', job.run, attempt));
  let stored: BlockDevice | undefined;
  let leaves: LeafFile | undefined;
  try {
    if (compares(run, checkpoint)) stored = await connectLeaves(parts, run, attempt);
    if (input.digest) leaves = await parts.leaves.begin(job.id, input.sizeBytes, checkpoint?.digest.chunks ?? 0);
    const copied = await parts.buffers.lend((window) =>
      copyDevice({
        window,
        source,
        destination,
        sizeBytes: input.sizeBytes,
        destinationIsZero: input.destinationIsZero,
        ...(checkpoint ? { checkpoint } : {}),
        onProgress: (p) => run.measured(p),
        ...compared(stored),
        ...(leaves ? { leaves } : {}),
        digest: input.digest,
        async onCheckpoint(made) {
          await leaves?.handedOver();
          await parts.checkpoints.write({ jobId: job.id, writeEpoch: input.writeEpoch, checkpoint: made });
        },
        buckets: bucketsOf(parts, run),
        whilePaused: (during) => whilePaused(run, during)?.then(onRested),
        monotonicMs: parts.monotonicMs,
        signal,
      }),
    );
    return {
      // a copy that compares has one in any case; nobody has asked for it then
      digest: input.digest ? copied.digest : null,
      writeEpoch: input.writeEpoch,
      generation: attempt,
      bytesRead: copied.bytes.read,
      bytesWritten: copied.bytes.written,
      durationMs: Math.round(parts.monotonicMs() - startedMs),
    };
  } finally {
    await leaves?.close();
    await stored?.close();
    await destination.close();
  }
};

export const copyData: JobHandler<'data.copy'> = async (parts, run) => {
  const { source } = run.job.input;
  const where = `${source.hostId}@${source.backend}#${source.pool}`;
  const { device } = await parts.backends.get(source).open(source, 'ro', run.signal);
  try {
    if (device.sizeBytes < run.job.input.sizeBytes) {
      throw volmoveError('DeviceShrank', {
        reason: `${where}: the source has ${device.sizeBytes} bytes, the volume ${run.job.input.sizeBytes}`,
      });
    }
    // nothing is silent from here on, also while the peer does not answer
    run.measured({ settledBytes: 0, totalBytes: run.job.input.sizeBytes, rateBytesPerSecond: 0 });
    return await comingBack(parts, run, {
      where,
      settledBytes: async () => (await checkpointOf(parts, run))?.settledBytes ?? 0,
      once: (attempt, onRested) => copyOnce(parts, run, { attempt, source: device, onRested }),
    });
  } finally {
    await device.close();
  }
};
