import type { BlockDevice } from '../../../domain/block-device.ts';
import { digestDevice } from '../../../host-agent/digest/digest-device.ts';

/** The digest of what a reader sees: what VerifyData compares with the source's. */
export const readBack = (device: BlockDevice): Promise<string> =>
  digestDevice({
    device,
    sizeBytes: device.sizeBytes,
    onProgress: () => undefined,
    monotonicMs: () => 0,
    signal: new AbortController().signal,
  });
