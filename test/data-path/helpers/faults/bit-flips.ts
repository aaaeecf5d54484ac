import type { BlockDevice } from '../../../../domain/block-device.ts';

/** One bit is another: in what the nth read brings, in what the nth write stores, or in what is stored already. */
export const flippedBy = (way: 'read' | 'write', nth: number, device: BlockDevice): BlockDevice => {
  let calls = 0;
  const isIt = (): boolean => ++calls === nth;
  return {
    ...device,
    async read(offset, target, signal) {
      await device.read(offset, target, signal);
      if (way === 'read' && isIt()) flip(target);
    },
    write(offset, source, signal) {
      if (way !== 'write' || !isIt()) return device.write(offset, source, signal);
      const stored = Buffer.from(source);
      flip(stored);
      return device.write(offset, stored, signal);
    },
  };
};

/** At rest, and so that it outlasts a crash. */
export const rot = async (device: BlockDevice, offset: number): Promise<void> => {
  const byte = Buffer.alloc(1);
  await device.read(offset, byte);
  flip(byte);
  await device.write(offset, byte);
  await device.flush();
};

const flip = (bytes: Uint8Array): void => {
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
};
