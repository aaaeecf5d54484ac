/**
 * When a job may be begun again. One that ended is never listed again, so a job that was tried and is listed still has left no
 * result: it waits a second, then twice as long each time, up to half a minute.
 */
export interface Patience {
  /** An attempt of the job has ended. */
  tried(id: string): void;
  mayTry(id: string): boolean;
  /** Forgets every job that is not among these. */
  keepOnly(ids: readonly string[]): void;
  /** Until the first job that waits may be tried again; undefined when none waits. */
  nextTryInMs(): number | undefined;
}

const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 30_000;

export const createPatience = (monotonicMs: () => number): Patience => {
  const waits = new Map<string, { readonly untilMs: number; readonly nextMs: number }>();
  return {
    tried(id) {
      const waitMs = waits.get(id)?.nextMs ?? FIRST_WAIT_MS;
      waits.set(id, { untilMs: monotonicMs() + waitMs, nextMs: Math.min(MAX_WAIT_MS, waitMs * 2) });
    },
    mayTry: (id) => (waits.get(id)?.untilMs ?? 0) <= monotonicMs(),
    keepOnly(ids) {
      const kept = new Set(ids);
      for (const id of waits.keys()) if (!kept.has(id)) waits.delete(id);
    },
    nextTryInMs() {
      const left = [...waits.values()].map(({ untilMs }) => untilMs - monotonicMs()).filter((ms) => ms > 0);
      return left.length === 0 ? undefined : Math.min(...left);
    },
  };
};
