import { VolmoveError } from '../../../domain/error.ts';
import type { Reply } from './exchange.ts';

/**
 * Errors as bodies of the Block Storage API. Our own resources say the stable code and the remedy beside the message. The
 * standard's bodies have no room for either, so there a header says the code.
 */

const NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  406: 'computeFault',
  409: 'conflictingRequest',
  413: 'overLimit',
  422: 'unprocessableEntity',
  500: 'computeFault',
  503: 'serviceUnavailable',
};

const HIDDEN = 'The server has either erred or is incapable of performing the requested operation.';

/** True for what nobody foresaw: its text is for the log, not for a caller. */
export const isUnforeseen = (thrown: unknown): boolean =>
  !(thrown instanceof VolmoveError) || thrown.code === 'Internal';

export const errorReply = (thrown: unknown, ours: boolean): Reply => {
  const known = thrown instanceof VolmoveError && !isUnforeseen(thrown) ? thrown : undefined;
  const code = known?.httpStatus ?? 500;
  const details = ours
    ? { error_code: known?.code ?? 'Internal', remedy: known?.remedy ?? 'Try again; the server’s log says more.' }
    : {};
  return {
    status: code,
    ...(known ? { headers: { 'x-volmove-error-code': known.code } } : {}),
    body: { [NAMES[code] ?? 'computeFault']: { code, message: known?.message ?? HIDDEN, ...details } },
  };
};
