import type { BlockDevice } from '../../domain/block-device.ts';
import { DataPathError } from '../device/errors.ts';
import type { Request } from './protocol.ts';
import { COMMAND, ERROR, FLAG, MAX_REQUEST_BYTES } from './protocol.ts';

/** One request of the protocol on one device. What comes back is the protocol's error number. */
export interface Target {
  readonly device: BlockDevice;
  readonly readOnly: boolean;
}

const KNOWN_FLAGS: Readonly<Record<number, number>> = {
  [COMMAND.READ]: FLAG.FUA,
  [COMMAND.WRITE]: FLAG.FUA,
  [COMMAND.FLUSH]: FLAG.FUA,
  [COMMAND.WRITE_ZEROES]: FLAG.FUA | FLAG.NO_HOLE,
};

/** Undefined when the request may be tried. Nothing outside of the device is ever touched. */
const refused = ({ device, readOnly }: Target, request: Request): number | undefined => {
  const { command, flags, offset, lengthBytes } = request;
  const known = KNOWN_FLAGS[command];
  if (known === undefined || (flags & ~known) !== 0) return ERROR.EINVAL;
  if (command === COMMAND.FLUSH) return undefined;
  if (readOnly && command !== COMMAND.READ) return ERROR.EPERM;
  if (offset + lengthBytes > device.sizeBytes) return command === COMMAND.READ ? ERROR.EINVAL : ERROR.ENOSPC;
  return command === COMMAND.READ && lengthBytes > MAX_REQUEST_BYTES ? ERROR.EINVAL : undefined;
};

const ZEROES = Buffer.alloc(1024 * 1024);

/** NO_HOLE: the space must be there afterwards, and only writing it makes sure of that. */
const writeZeroes = async (device: BlockDevice, { offset, lengthBytes, flags }: Request): Promise<void> => {
  if ((flags & FLAG.NO_HOLE) === 0) return device.writeZeroes(offset, lengthBytes);
  for (let done = 0; done < lengthBytes; done += ZEROES.length)
    await device.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, lengthBytes - done)));
};

const perform = async ({ device }: Target, request: Request, memory: Buffer): Promise<void> => {
  switch (request.command) {
    case COMMAND.READ:
      return device.read(request.offset, memory);
    case COMMAND.WRITE:
      await device.write(request.offset, memory);
      break;
    case COMMAND.WRITE_ZEROES:
      await writeZeroes(device, request);
      break;
    default:
      return device.flush();
  }
  if (request.flags & FLAG.FUA) await device.flush();
};

const errorOf = (error: unknown): number => {
  if (!(error instanceof DataPathError)) return ERROR.EIO;
  if (error.code === 'NoSpace') return ERROR.ENOSPC;
  return error.code === 'OutOfRange' ? ERROR.EINVAL : ERROR.EIO;
};

/** `memory`: a write's payload, or where a read goes. `onFailure` hears what the number cannot say. */
export const act = async (
  target: Target,
  request: Request,
  memory: Buffer,
  onFailure: (error: unknown) => void,
): Promise<number> => {
  const refusal = refused(target, request);
  if (refusal !== undefined) return refusal;
  try {
    await perform(target, request, memory);
    return ERROR.OK;
  } catch (error) {
    onFailure(error);
    return errorOf(error);
  }
};

/** Bytes that travel with the request or its answer. */
export const payloadBytes = ({ command, lengthBytes }: Request): number => {
  if (command === COMMAND.WRITE) return lengthBytes;
  return command === COMMAND.READ && lengthBytes <= MAX_REQUEST_BYTES ? lengthBytes : 0;
};
