import type { BlockDevice } from '../../../domain/block-device.ts';
import { VolmoveError } from '../../../domain/error.ts';
import { DataPathError } from '../../device/errors.ts';
import type { ServedImage } from './device.ts';
import { extentsInPieces } from './extents.ts';

/**
 * A cluster that is full, or has lost its monitors, answers nothing at all: reads and writes wait for ever. The connection to
 * qemu-nbd is given up when nothing has come for the backend's timeout; this says why instead of `the connection broke`.
 */
/** Why nothing can be written; undefined when the cluster says that all is well. Throws when it says nothing at all. */
export type Diagnosis = () => Promise<string | undefined>;

const said = (served: ServedImage): string => {
  const text = served.said();
  return text === '' ? '' : ` (${text})`;
};

const explain = async (error: DataPathError, served: ServedImage, diagnose: Diagnosis): Promise<Error> => {
  const cause = { cause: error };
  if (await served.hasEnded())
    return new DataPathError('ConnectionLost', `qemu-nbd has ended: ${error.message}${said(served)}`, cause);
  const full = await diagnose();
  return full === undefined ? error : new DataPathError('NoSpace', full, cause);
};

/** Every request after the one that was not answered fails for the same reason. */
export const watched = (served: ServedImage, diagnose: Diagnosis): BlockDevice => {
  const { device } = served;
  let closed = false;
  let broken: Promise<Error> | undefined;
  const under = async <T>(act: Promise<T>): Promise<T> => {
    try {
      return await act;
    } catch (error) {
      if (!(error instanceof DataPathError) || error.code !== 'ConnectionLost' || closed) throw error;
      broken ??= explain(error, served, diagnose).catch((failure: unknown) =>
        failure instanceof VolmoveError ? failure : error,
      );
      throw await broken;
    }
  };
  const zeroAs = device.zeroAs?.bind(device);
  const trim = device.trim?.bind(device);
  return {
    sizeBytes: device.sizeBytes,
    blockSizeBytes: device.blockSizeBytes,
    read: (offset, target, signal) => under(device.read(offset, target, signal)),
    write: (offset, source, signal) => under(device.write(offset, source, signal)),
    writeZeroes: (offset, lengthBytes, signal) => under(device.writeZeroes(offset, lengthBytes, signal)),
    ...(zeroAs && { zeroAs: (offset, lengthBytes, wish, signal) => under(zeroAs(offset, lengthBytes, wish, signal)) }),
    ...(trim && { trim: (offset, lengthBytes, signal) => under(trim(offset, lengthBytes, signal)) }),
    flush: (signal) => under(device.flush(signal)),
    async *extents(offset, lengthBytes, signal) {
      const runs = extentsInPieces(device, offset, lengthBytes, signal);
      try {
        for (let run = await under(runs.next()); !run.done; run = await under(runs.next())) yield run.value;
      } finally {
        await runs.return(undefined);
      }
    },
    async close() {
      closed = true;
      await device.close();
    },
  };
};
