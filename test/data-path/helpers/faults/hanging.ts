import type { BlockDevice } from '../../../../domain/block-device.ts';
import { abortReason } from '../../../../host-agent/device/errors.ts';

/** From the nth call of a kind on none is answered: each ends with its signal, as a request over a network does, or with `release`. */
export interface Hanging extends BlockDevice {
  readonly hung: () => boolean;
  /** They go on at last, and so does every later one. */
  readonly release: () => void;
}

export const hanging = (way: 'read' | 'write' | 'flush', nth: number, device: BlockDevice): Hanging => {
  let calls = 0;
  let waiting = false;
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = async (doing: string, signal: AbortSignal | undefined): Promise<void> => {
    if (way !== doing || ++calls < nth) return;
    waiting = true;
    await new Promise<void>((resolve, reject) => {
      void released.then(resolve);
      signal?.addEventListener('abort', () => reject(abortReason(signal)), { once: true });
    });
  };
  return {
    ...device,
    hung: () => waiting,
    release: () => release(),
    async read(offset, target, signal) {
      await held('read', signal);
      await device.read(offset, target, signal);
    },
    async write(offset, source, signal) {
      await held('write', signal);
      await device.write(offset, source, signal);
    },
    async flush(signal) {
      await held('flush', signal);
      await device.flush(signal);
    },
  };
};
