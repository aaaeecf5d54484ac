/** What an error says and does, whoever it is told to. */
export interface Entry<P> {
  readonly httpStatus: number;
  readonly retryable: boolean;
  readonly message: (params: P) => string;
  readonly remedy: string;
}

export const entry = <P>(
  httpStatus: number,
  retryable: boolean,
  message: (params: P) => string,
  remedy: string,
): Entry<P> => ({
  httpStatus,
  retryable,
  message,
  remedy,
});

export type Id = { id: string };
export type Reason = { reason: string };
export type None = Record<string, never>;
