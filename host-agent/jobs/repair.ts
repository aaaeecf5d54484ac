import type { BlockDevice } from '../../domain/block-device.ts';
import { volmoveError } from '../../domain/error.ts';
import type { RepairResult } from '../../domain/job/job.ts';
import { exportName } from '../../domain/names.ts';
import { createDifferences, type Differences } from '../digest/differences.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';
import { comingBack, connectPeer } from './peer.ts';
import { type Repaired, repairByComparison } from './repair-by-comparison.ts';
import { repairByDescent } from './repair-by-descent.ts';

/**
 * RepairData, on the source's host: what was read back at the destination differs from what was copied. Finds out where, reads
 * that again and writes it to a generation above the one that was sealed. Where a tree is void, both sides are read as a whole.
 */
export interface Repair {
  readonly parts: AgentParts;
  readonly run: JobRun<'data.repair'>;
  readonly source: BlockDevice;
  /** The export of this attempt's generation. */
  readonly destination: BlockDevice;
  readonly generation: number;
  /** Grows over the attempts: what one has repaired the next does not find any more. */
  readonly differences: Differences;
  readonly onRested: () => void;
}

const repairOnce = async (repair: Omit<Repair, 'destination'>): Promise<RepairResult> => {
  const { parts, run, generation, differences } = repair;
  const { job } = run;
  const startedMs = parts.monotonicMs();
  const destination = await connectPeer(parts, run, exportName(job.migrationId ?? '', job.run, generation));
  try {
    const whole = { ...repair, destination };
    const repaired: Repaired = (await repairByDescent(whole)) ?? (await repairByComparison(whole));
    return {
      digest: repaired.digest,
      writeEpoch: job.input.writeEpoch,
      generation,
      differing: differences.named(),
      hashes: repaired.hashes,
      bytesRead: repaired.bytesRead,
      bytesWritten: repaired.bytesWritten,
      durationMs: Math.round(parts.monotonicMs() - startedMs),
    };
  } finally {
    await destination.close();
  }
};

export const repairData: JobHandler<'data.repair'> = async (parts, run) => {
  const { source, sizeBytes, sealed, writeEpoch } = run.job.input;
  const where = `${source.hostId}@${source.backend}#${source.pool}`;
  const { device } = await parts.backends.get(source).open(source, 'ro', run.signal);
  try {
    if (device.sizeBytes < sizeBytes) {
      throw volmoveError('DeviceShrank', {
        reason: `${where}: the source has ${device.sizeBytes} bytes, the volume ${sizeBytes}`,
      });
    }
    const differences = createDifferences(sizeBytes);
    run.measured({ settledBytes: 0, totalBytes: sizeBytes, rateBytesPerSecond: 0 });
    return await comingBack(parts, run, {
      where,
      settledBytes: async () => (await parts.checkpoints.read(run.job.id, writeEpoch))?.settledBytes ?? 0,
      once: (attempt, onRested) =>
        repairOnce({ parts, run, source: device, generation: sealed.generation + attempt, differences, onRested }),
    });
  } finally {
    await device.close();
  }
};
