import { VolmoveError } from '../domain/error.ts';
import { EXIT, type ExitCode, exitCodeOfStatus } from './exit-codes.ts';
import { remedyOfCode } from './output/remedy.ts';

/** Errors as the command line tells them: what happened and why, what to do next, and the exit code that says so to a script. */

/** A refusal of the command line itself. `remedy` is one sentence that names the next step. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly remedy: string;

  constructor(what: { exitCode: ExitCode; code: string; message: string; remedy: string }, options?: ErrorOptions) {
    super(what.message, options);
    this.name = 'CliError';
    this.exitCode = what.exitCode;
    this.code = what.code;
    this.remedy = what.remedy;
  }
}

/** What the API, or the way to it, answered instead of a result. `status` is null when there was no HTTP answer at all. */
export class ApiError extends Error {
  readonly status: number | null;
  readonly code: string;
  readonly remedy: string | null;

  constructor(
    what: { status: number | null; code: string; message: string; remedy: string | null },
    options?: ErrorOptions,
  ) {
    super(what.message, options);
    this.name = 'ApiError';
    this.status = what.status;
    this.code = what.code;
    this.remedy = what.remedy;
  }
}

export const usageError = (message: string, remedy: string): CliError =>
  new CliError({ exitCode: EXIT.usage, code: 'Usage', message, remedy });

/** No answer, or one that says "not now": asking again later may help. */
export const isPassing = (error: unknown): boolean =>
  error instanceof ApiError && (error.status === null || error.status === 429 || error.status >= 500);

export interface ErrorReport {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

const withCauses = (error: Error): string => {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 5; at = at.cause) parts.push(at.message);
  return parts.join(': ');
};

/** Steps that help with any standard refusal; our own resources bring a better one of their own. */
const remedyOfStatus = (status: number | null): string | null => {
  switch (status) {
    case 401:
    case 403:
      return 'Give an administrator’s token: --token TOKEN, or VOLMOVE_TOKEN.';
    case 404:
      return 'See what there is: volmove volumes, volmove list.';
    default:
      return null;
  }
};

const exitCodeOfDomain = (error: VolmoveError): ExitCode =>
  error.code === 'ConfigInvalid' ? EXIT.usage : exitCodeOfStatus(error.httpStatus);

/** Any thrown thing as what is printed and how the process ends. */
export const reportOf = (error: unknown): ErrorReport => {
  if (error instanceof CliError) {
    return { exitCode: error.exitCode, code: error.code, message: error.message, remedy: error.remedy };
  }
  if (error instanceof ApiError) {
    const exitCode = error.status === null ? EXIT.unexpected : exitCodeOfStatus(error.status);
    return {
      exitCode,
      code: error.code,
      message: error.message,
      remedy: error.remedy ?? remedyOfStatus(error.status) ?? remedyOfCode(error.code),
    };
  }
  if (error instanceof VolmoveError) {
    return { exitCode: exitCodeOfDomain(error), code: error.code, message: error.message, remedy: error.remedy };
  }
  const message = error instanceof Error ? withCauses(error) : String(error);
  return {
    exitCode: EXIT.unexpected,
    code: 'Unexpected',
    message: `Unexpected: ${message}`,
    remedy: 'Run it again with VOLMOVE_DEBUG=1 to see where it comes from.',
  };
};
