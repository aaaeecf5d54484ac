import type { BlockDevice } from '../../domain/block-device.ts';
import { VolmoveError } from '../../domain/error.ts';
import { DataPathError } from '../device/errors.ts';
import { blockStatus } from './block-status.ts';
import type { Request } from './protocol.ts';
import { COMMAND, ERROR, FLAG, MAX_REQUEST_BYTES } from './protocol.ts';

/** One request of the protocol on one device. */
export interface Target {
  readonly device: BlockDevice;
  readonly readOnly: boolean;
  /** Structured replies were agreed on. */
  readonly structured: boolean;
  /** The client has chosen base:allocation for this export. */
  readonly mapped: boolean;
}

export interface Outcome {
  /** The protocol's number. */
  readonly error: number;
  /** For a person at the other end. */
  readonly text?: string;
  /** The descriptors of a BLOCK_STATUS. */
  readonly body?: Buffer;
}

const OK: Outcome = { error: ERROR.OK };

const refuse = (error: number, text: string): Outcome => ({ error, text });

/** Undefined: the command is not known here, or was not agreed on. FUA is taken with every command, as the protocol has it. */
const flagsOf = ({ device, structured, mapped }: Target, command: number): number | undefined => {
  switch (command) {
    case COMMAND.READ:
      return structured ? FLAG.FUA | FLAG.DF : FLAG.FUA;
    case COMMAND.WRITE:
    case COMMAND.FLUSH:
      return FLAG.FUA;
    case COMMAND.TRIM:
      return device.trim ? FLAG.FUA : undefined;
    case COMMAND.WRITE_ZEROES:
      return FLAG.FUA | FLAG.NO_HOLE | FLAG.FAST_ZERO;
    case COMMAND.BLOCK_STATUS:
      return mapped ? FLAG.FUA | FLAG.REQ_ONE : undefined;
    default:
      return undefined;
  }
};

const changes = (command: number): boolean =>
  command === COMMAND.WRITE || command === COMMAND.WRITE_ZEROES || command === COMMAND.TRIM;

/** Undefined when the request may be tried. Nothing outside of the device is ever touched. */
const refused = (target: Target, request: Request): Outcome | undefined => {
  const { command, flags, offset, lengthBytes } = request;
  const known = flagsOf(target, command);
  if (known === undefined) return refuse(ERROR.EINVAL, `command ${command} is not served here`);
  if ((flags & ~known) !== 0) return refuse(ERROR.EINVAL, `command ${command} has no such flags as ${flags}`);
  if (command === COMMAND.FLUSH) return undefined;
  if (target.readOnly && changes(command)) return refuse(ERROR.EPERM, 'the export is read-only');
  if (offset + lengthBytes > target.device.sizeBytes) {
    const asksForSpace = command === COMMAND.WRITE || command === COMMAND.WRITE_ZEROES;
    return refuse(asksForSpace ? ERROR.ENOSPC : ERROR.EINVAL, 'the range is beyond the end of the export');
  }
  if (command === COMMAND.READ && lengthBytes > MAX_REQUEST_BYTES)
    return refuse(target.structured ? ERROR.EOVERFLOW : ERROR.EINVAL, `a read has ${MAX_REQUEST_BYTES} bytes at most`);
  if (command === COMMAND.BLOCK_STATUS && lengthBytes === 0) return refuse(ERROR.EINVAL, 'there is nothing to tell');
  return undefined;
};

const ZEROES = Buffer.alloc(1024 * 1024);

/** False when it would take as long as writing, and was asked for on that condition only. */
const writeZeroes = async (device: BlockDevice, { offset, lengthBytes, flags }: Request): Promise<boolean> => {
  const fast = (flags & FLAG.FAST_ZERO) !== 0;
  const allocated = (flags & FLAG.NO_HOLE) !== 0;
  if (!fast && !allocated) await device.writeZeroes(offset, lengthBytes);
  else if (!(await device.zeroAs?.(offset, lengthBytes, { fast, allocated }))) {
    if (fast) return false;
    for (let done = 0; done < lengthBytes; done += ZEROES.length)
      await device.write(offset + done, ZEROES.subarray(0, Math.min(ZEROES.length, lengthBytes - done)));
  }
  return true;
};

const perform = async ({ device }: Target, request: Request, memory: Buffer): Promise<Outcome> => {
  const { command, offset, lengthBytes, flags } = request;
  switch (command) {
    case COMMAND.READ:
      await device.read(offset, memory);
      return OK;
    case COMMAND.BLOCK_STATUS:
      return { error: ERROR.OK, body: await blockStatus(device, offset, lengthBytes, (flags & FLAG.REQ_ONE) !== 0) };
    case COMMAND.FLUSH:
      await device.flush();
      return OK;
    case COMMAND.WRITE:
      await device.write(offset, memory);
      break;
    case COMMAND.TRIM:
      await device.trim?.(offset, lengthBytes);
      break;
    default:
      if (!(await writeZeroes(device, request))) return refuse(ERROR.ENOTSUP, 'writing the zeroes is as fast');
  }
  if (flags & FLAG.FUA) await device.flush();
  return OK;
};

/** The reason in words of this program: the operating system's would tell the client where on this host the data lies. */
const failed = (error: unknown): Outcome => {
  if (!(error instanceof DataPathError || error instanceof VolmoveError)) return { error: ERROR.EIO };
  const text = `${error.code}. ${error.remedy}`;
  if (error.code === 'NoSpace') return refuse(ERROR.ENOSPC, text);
  return refuse(error.code === 'OutOfRange' ? ERROR.EINVAL : ERROR.EIO, text);
};

/** `memory`: a write's payload, or where a read goes. `onFailure` hears what the outcome does not say. */
export const act = async (
  target: Target,
  request: Request,
  memory: Buffer,
  onFailure: (error: unknown) => void,
): Promise<Outcome> => {
  const refusal = refused(target, request);
  if (refusal !== undefined) return refusal;
  try {
    return await perform(target, request, memory);
  } catch (error) {
    onFailure(error);
    return failed(error);
  }
};

/** Bytes that travel with the request or its answer, and need memory meanwhile. */
export const payloadBytes = ({ command, lengthBytes }: Request): number => {
  if (command === COMMAND.WRITE) return lengthBytes;
  return command === COMMAND.READ && lengthBytes <= MAX_REQUEST_BYTES ? lengthBytes : 0;
};
