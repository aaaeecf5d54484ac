import { VolmoveError, volmoveError } from '../domain/error.ts';
import { DataPathError } from './device/errors.ts';

/** Errors of the operating system and of the data path, in the words of the catalogue. What is known already stays as it is. */

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const ofSystem = (error: NodeJS.ErrnoException, where: string): VolmoveError => {
  const reason = `${where}: ${error.message}`;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return volmoveError('NoSpace', { reason }, { cause: error });
    case 'ESTALE':
    case 'ENOTCONN':
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return volmoveError('BackendOffline', { place: where, reason: error.message }, { cause: error });
    default:
      return volmoveError('IoError', { reason }, { cause: error });
  }
};

const ofDataPath = (error: DataPathError, where: string): VolmoveError => {
  const reason = `${where}: ${error.message}`;
  const cause = { cause: error };
  switch (error.code) {
    case 'NoSpace':
      return volmoveError('NoSpace', { reason }, cause);
    case 'FlushFailed':
      return volmoveError('FlushFailed', { reason }, cause);
    case 'ConnectionLost':
      return volmoveError('ConnectionLost', { reason }, cause);
    case 'DestinationTooSmall':
      return volmoveError('DestinationTooSmall', { reason }, cause);
    case 'ShortRead':
      return volmoveError('DeviceShrank', { reason }, cause);
    case 'PeerCertificateMismatch':
      return volmoveError('PeerCertificateMismatch', { reason }, cause);
    case 'ExportNotOpen':
      return volmoveError('ExportNotOpen', { reason }, cause);
    case 'PeerRefused':
    case 'ExportSealed':
    case 'ProtocolError':
      return volmoveError('PeerRefused', { reason }, cause);
    case 'IoError':
      return volmoveError('IoError', { reason }, cause);
    case 'OutOfRange':
    case 'CheckpointMismatch':
    case 'Aborted':
      return volmoveError('Internal', { reason }, cause);
  }
};

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]/.test(error.code);

export const translate = (error: unknown, where: string): VolmoveError => {
  if (error instanceof VolmoveError) return error;
  if (error instanceof DataPathError) return ofDataPath(error, where);
  if (isSystemError(error)) return ofSystem(error, where);
  return volmoveError('Internal', { reason: `${where}: ${text(error)}` }, { cause: error });
};

export const underCatalogue = async <T>(act: () => Promise<T>, where: string): Promise<T> => {
  try {
    return await act();
  } catch (error) {
    throw translate(error, where);
  }
};
