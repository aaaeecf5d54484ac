import type { Failure } from '../../../domain/error.ts';

/** One of the things that a request is judged by, as a dry run tells it. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  /** What to do about it; null when it is ok. */
  readonly remedy: string | null;
}

export const good = (name: string, message: string): Check => ({ name, ok: true, message, remedy: null });
export const bad = (name: string, { message, remedy }: Pick<Failure, 'message' | 'remedy'>): Check => ({
  name,
  ok: false,
  message,
  remedy,
});
export const untold = (name: string, missing: string, remedy = 'See the checks above.'): Check =>
  bad(name, { message: `Cannot be told: ${missing}.`, remedy });
