import type { BlockDevice, Extent } from '../../domain/block-device.ts';
import type { CopyResult } from '../../domain/job/job.ts';
import type { ObjectRef } from '../../domain/placement.ts';
import { flushed } from '../copy/checkpointer.ts';
import { zeroTail } from '../copy/zero-tail.ts';
import { runDd } from '../dd/dd.ts';
import { createDdProgress, type DdProgress } from '../dd/progress.ts';
import { DataPathError } from '../device/errors.ts';
import { digestDevice } from '../digest/digest-device.ts';
import type { AgentParts, JobHandler, JobRun } from './context.ts';
import { localPath, requireDd } from './dd-possible.ts';
import { whilePaused } from './heeding.ts';
import { asLocalWriter } from './local-writer.ts';

/**
 * CopyData by dd(1), between two paths of this host. dd is the generation's writer, as an export's connection would be; what it
 * has written is made durable here, and the source's digest comes from reading it a second time. It keeps no checkpoint: an
 * attempt that is taken over begins from zero.
 */
type Run = JobRun<'data.copy'>;

const requireRoom = (device: BlockDevice, sizeBytes: number, what: 'source' | 'destination'): void => {
  if (device.sizeBytes >= sizeBytes) return;
  const code = what === 'source' ? 'ShortRead' : 'DestinationTooSmall';
  throw new DataPathError(code, `the ${what} has ${device.sizeBytes} bytes, the volume ${sizeBytes}`);
};

const dataBytes = async (device: BlockDevice, sizeBytes: number, signal: AbortSignal): Promise<number> => {
  let bytes = 0;
  for await (const extent of device.extents(0, sizeBytes, signal))
    if (extent.kind === 'data') bytes += extent.lengthBytes;
  return bytes;
};

async function* everything(sizeBytes: number): AsyncGenerator<Extent> {
  yield { offset: 0, lengthBytes: sizeBytes, kind: 'data' };
}

/** Returns how many bytes were written: of a destination that is kept sparse, those that are allocated in it. */
const write = async (
  parts: AgentParts,
  run: Run,
  object: ObjectRef,
  { from, progress }: { readonly from: BlockDevice; readonly progress: DdProgress },
  signal: AbortSignal,
): Promise<number> => {
  const { source, sizeBytes, destinationIsZero } = run.job.input;
  // open before dd is: a flush tells of the failed writes of others only from then on
  const { device, requireSpace } = await parts.backends.get(object).open(object, 'rw', signal);
  try {
    requireRoom(device, sizeBytes, 'destination');
    // what dd writes is seen by nobody until it is there
    await requireSpace?.(destinationIsZero ? from.extents(0, sizeBytes, signal) : everything(sizeBytes), signal);
    await runDd(parts.children, {
      source: await localPath(parts, source),
      destination: await localPath(parts, object),
      sizeBytes,
      // what an earlier attempt has written are the same bytes: where the source has zeroes there still is nothing
      destinationIsZero,
      onCopied: (bytes) => progress.copied(bytes),
      onResting: () => progress.rests(),
      isPaused: () => run.control.current().paused,
      sleep: parts.sleep,
      signal,
    });
    await zeroTail({
      destination: device,
      sizeBytes,
      destinationIsZero,
      signal,
      before: async () => {
        const over = whilePaused(run, signal);
        if (over) progress.rests();
        await over;
      },
      onZeroed: (zeroing) => progress.zeroed(zeroing),
    });
    await flushed(device, signal);
    return destinationIsZero ? await dataBytes(device, sizeBytes, signal) : sizeBytes;
  } finally {
    await device.close();
  }
};

/** Keeps the leaves, as every copy does: a repair begins with them. */
const secondRead = async (
  parts: AgentParts,
  run: Run,
  source: BlockDevice,
  progress: DdProgress,
): Promise<{ digest: string; bytesRead: number }> => {
  let bytesRead = 0;
  const device: BlockDevice = {
    ...source,
    async read(offset, target, signal) {
      await source.read(offset, target, signal);
      bytesRead += target.length;
    },
  };
  const { id, input } = run.job;
  const leaves = await parts.leaves.begin(id, input.sizeBytes, 0);
  try {
    const digest = await parts.buffers.lend((window) =>
      digestDevice({
        window,
        device,
        sizeBytes: input.sizeBytes,
        leaves,
        onProgress: ({ settledBytes, activity }) =>
          activity === 'paused' ? progress.rests() : progress.digested(settledBytes),
        whilePaused: (during) => whilePaused(run, during),
        monotonicMs: parts.monotonicMs,
        signal: run.signal,
      }),
    );
    return { digest, bytesRead };
  } finally {
    await leaves.close();
  }
};

export const copyByDd: JobHandler<'data.copy'> = async (parts, run) => {
  requireDd(parts, run.job.input);
  const { source, sizeBytes, digest, writeEpoch } = run.job.input;
  const startedMs = parts.monotonicMs();
  const progress = createDdProgress({
    sizeBytes,
    digest,
    monotonicMs: parts.monotonicMs,
    onMeasured: (measured) => run.measured(measured),
  });
  const { device } = await parts.backends.get(source).open(source, 'ro', run.signal);
  try {
    requireRoom(device, sizeBytes, 'source');
    // nothing is silent from here on, also while an earlier generation ends
    progress.copied(0);
    const bytesWritten = await asLocalWriter(parts, run, (object, signal) =>
      write(parts, run, object, { from: device, progress }, signal),
    );
    const second = digest ? await secondRead(parts, run, device, progress) : { digest: null, bytesRead: 0 };
    return {
      digest: second.digest,
      writeEpoch,
      generation: run.job.attempt,
      bytesRead: sizeBytes + second.bytesRead,
      bytesWritten,
      durationMs: Math.round(parts.monotonicMs() - startedMs),
    } satisfies CopyResult;
  } finally {
    await device.close();
  }
};
