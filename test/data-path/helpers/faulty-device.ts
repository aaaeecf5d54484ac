import { setImmediate } from 'node:timers/promises';
import { DataPathError, ioError } from '../../../host-agent/device/errors.ts';
import type { MemoryDevice } from './memory-device.ts';

/** A memory device that fails, dawdles or counts as a test says. Calls are counted from 1. */
export interface Faults {
  readonly failRead?: number;
  readonly failWrite?: number;
  readonly failFlush?: number;
  /** Turns of the event loop that the nth write takes. */
  readonly writeTurns?: (nth: number) => number;
  /** Turns that the nth flush takes; it covers what was answered before it was called, and no more. */
  readonly flushTurns?: (nth: number) => number;
  readonly onWrite?: (nth: number) => void;
}

export interface FaultyDevice extends MemoryDevice {
  readonly calls: { reads: number; writes: number; flushes: number; inFlight: number; most: number };
}

const eio = (doing: string): DataPathError =>
  ioError(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }), doing);

export const faultyDevice = (device: MemoryDevice, faults: Faults): FaultyDevice => {
  const calls = { reads: 0, writes: 0, flushes: 0, inFlight: 0, most: 0 };
  const counted = async <T>(act: () => Promise<T>): Promise<T> => {
    calls.inFlight += 1;
    calls.most = Math.max(calls.most, calls.inFlight);
    try {
      return await act();
    } finally {
      calls.inFlight -= 1;
    }
  };
  const writing = (act: () => Promise<void>): Promise<void> => {
    const nth = ++calls.writes;
    return counted(async () => {
      faults.onWrite?.(nth);
      for (let left = faults.writeTurns?.(nth) ?? 0; left > 0; left--) await setImmediate();
      if (nth === faults.failWrite) throw eio('writing');
      await act();
    });
  };
  return {
    ...device,
    calls,
    read: (offset, target, signal) => {
      const nth = ++calls.reads;
      return counted(async () => {
        if (nth === faults.failRead) throw eio('reading');
        await device.read(offset, target, signal);
      });
    },
    // a write that was sent may still happen after its caller has given up, as on a real device
    write: (offset, source) => writing(() => device.write(offset, source)),
    writeZeroes: (offset, lengthBytes) => writing(() => device.writeZeroes(offset, lengthBytes)),
    async flush() {
      const nth = ++calls.flushes;
      await counted(async () => {
        if (nth !== faults.failFlush) await device.flush();
        for (let left = faults.flushTurns?.(nth) ?? 0; left > 0; left--) await setImmediate();
        if (nth === faults.failFlush) throw new DataPathError('FlushFailed', 'EIO at a flush');
      });
    },
  };
};
