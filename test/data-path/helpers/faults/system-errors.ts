import type { BlockDevice } from '../../../../domain/block-device.ts';
import { type DataPathError, ioError } from '../../../../host-agent/device/errors.ts';

/** The nth call of a kind fails as the operating system fails it. */
const failed = (code: 'EIO' | 'ENOSPC', text: string, doing: string): DataPathError =>
  ioError(Object.assign(new Error(`${code}: ${text}`), { code }), doing);

export const eio = (doing: string): DataPathError => failed('EIO', 'i/o error', doing);
export const enospc = (doing: string): DataPathError => failed('ENOSPC', 'no space left on device', doing);

export const failing = (
  way: 'read' | 'write' | 'flush',
  nth: number,
  error: (doing: string) => DataPathError,
  device: BlockDevice,
): BlockDevice => {
  let calls = 0;
  const unlessIt = <T>(doing: string, act: () => Promise<T>): Promise<T> => {
    if (way === doing && ++calls === nth) return Promise.reject(error(doing));
    return act();
  };
  return {
    ...device,
    read: (...args) => unlessIt('read', () => device.read(...args)),
    write: (...args) => unlessIt('write', () => device.write(...args)),
    flush: (...args) => unlessIt('flush', () => device.flush(...args)),
  };
};
