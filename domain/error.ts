import { CATALOGUE, type ErrorCode, type ErrorParams } from './error-catalogue.ts';

/** Plain form of an error as it is stored with a job or a migration and shown to administrators. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The one error family. `name` is the stable code, so that Lambda reports it as errorType and the state machines catch it by
 * that name. The message says what happened and why; the remedy says what to do.
 */
export class VolmoveError extends Error {
  readonly code: ErrorCode;
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly remedy: string;

  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(failure.message, options);
    this.code = failure.code;
    this.name = failure.code;
    this.httpStatus = CATALOGUE[failure.code].httpStatus;
    this.retryable = CATALOGUE[failure.code].retryable;
    this.remedy = failure.remedy;
  }

  toFailure(): Failure {
    return { code: this.code, message: this.message, remedy: this.remedy };
  }
}

export const volmoveError = <C extends ErrorCode>(
  code: C,
  params: ErrorParams<C>,
  options?: { cause?: unknown },
): VolmoveError => {
  const entry = CATALOGUE[code];
  const message = (entry.message as (params: ErrorParams<C>) => string)(params);
  return new VolmoveError({ code, message, remedy: entry.remedy }, options);
};

export const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(CATALOGUE, text);

/** Any thrown thing as a failure that can be stored: never loses the text, never lets an unknown code through. */
export const toFailure = (thrown: unknown): Failure => {
  if (thrown instanceof VolmoveError) return thrown.toFailure();
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return volmoveError('Internal', { reason: text }).toFailure();
};
