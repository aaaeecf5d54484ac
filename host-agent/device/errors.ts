/**
 * What can go wrong on the data path, by name, with what a person can do about it. The agent puts these into the words of the
 * catalogue (host-agent/failures.ts).
 */
export type DataPathCode =
  | 'ShortRead'
  | 'NoSpace'
  | 'IoError'
  | 'OutOfRange'
  | 'DestinationTooSmall'
  | 'PeerRefused'
  | 'PeerCertificateMismatch'
  | 'ProtocolError'
  | 'ExportSealed'
  | 'ExportNotOpen'
  | 'ConnectionLost'
  | 'FlushFailed'
  | 'CheckpointMismatch'
  | 'Aborted';

const REMEDY: Readonly<Record<DataPathCode, string>> = {
  ShortRead: 'See whether the device was made smaller, or replaced, while it was in use.',
  NoSpace: 'Free space in the pool, or choose another one, and try again.',
  IoError: 'Look into the log of the storage (dmesg, the array): the device does not answer as it should.',
  OutOfRange: 'This is a mistake of the program that asked: report it.',
  DestinationTooSmall: 'Choose a destination that is at least as large as the volume.',
  PeerRefused: 'See that both agents are registered with the certificates they use now.',
  PeerCertificateMismatch:
    'Somebody else answers at that address, or the agent lost its data directory: register it again.',
  ProtocolError: 'See that nothing but an agent or an NBD server listens at that address.',
  ExportSealed: 'The copy of that generation is over; a new one needs a new generation.',
  ExportNotOpen: 'Prepare the destination again.',
  ConnectionLost:
    'See whether the other agent runs and the network between the hosts is up; the copy goes on from its checkpoint.',
  FlushFailed:
    'The storage lost writes it had accepted: look into its log. The copy goes back to the checkpoint before.',
  CheckpointMismatch: 'Start the copy from the beginning.',
  Aborted: 'Start it again if it was not meant to stop.',
};

export class DataPathError extends Error {
  readonly code: DataPathCode;
  readonly remedy: string;

  constructor(code: DataPathCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = code;
    this.code = code;
    this.remedy = REMEDY[code];
  }
}

const ofSystem = (error: unknown, usual: DataPathCode, doing: string): DataPathError => {
  const { code, message } = error as NodeJS.ErrnoException;
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new DataPathError(isFull ? 'NoSpace' : usual, `${doing}: ${message}`, { cause: error });
};

/** A failed system call on a device, with what was being done. */
export const ioError = (error: unknown, doing: string): DataPathError => ofSystem(error, 'IoError', doing);

/** A file system behind a network takes writes into its cache, and says at a flush that there is no room for them. */
export const flushError = (error: unknown, path: string): DataPathError => ofSystem(error, 'FlushFailed', path);

/** Why a signal was aborted: the reason that was given, or Aborted when nobody said more than that. */
export const abortReason = (signal: AbortSignal): Error => {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name !== 'AbortError') return reason;
  return new DataPathError('Aborted', 'it was stopped before its end', { cause: reason });
};

export const throwIfAborted = (signal: AbortSignal | undefined): void => {
  if (signal?.aborted) throw abortReason(signal);
};
