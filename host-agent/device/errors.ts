/** What can go wrong on the data path. The agent puts these into the words of the catalogue (host-agent/failures.ts). */
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
  | 'CheckpointMismatch';

export class DataPathError extends Error {
  readonly code: DataPathCode;

  constructor(code: DataPathCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = code;
    this.code = code;
  }
}

/** A failed system call on a device, with what was being done. */
export const ioError = (error: unknown, doing: string): DataPathError => {
  const system = error as NodeJS.ErrnoException;
  const code = system.code === 'ENOSPC' || system.code === 'EDQUOT' ? 'NoSpace' : 'IoError';
  return new DataPathError(code, `${doing}: ${system.message}`, { cause: error });
};
