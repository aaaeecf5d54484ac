/**
 * The right to do I/O, by the agent's own monotonic clock: it lapses after a number of missed heartbeats, before anybody else
 * may take the host over, and comes back with the next one that is answered (design section 3).
 */
export interface Lease {
  /** Aborted while the lease has lapsed; a new one after it came back. */
  readonly signal: AbortSignal;
  renewed(): void;
  /** To be called often; aborts the signal when too much time has passed. True when this call ended the lease. */
  check(): boolean;
}

export const createLease = (lapsesAfterMs: number, monotonicMs: () => number): Lease => {
  let renewedAt = monotonicMs();
  let current = new AbortController();
  return {
    get signal() {
      return current.signal;
    },
    renewed() {
      renewedAt = monotonicMs();
      if (current.signal.aborted) current = new AbortController();
    },
    check() {
      if (current.signal.aborted || monotonicMs() - renewedAt <= lapsesAfterMs) return false;
      current.abort(new Error(`no heartbeat was answered for ${lapsesAfterMs} ms`));
      return true;
    },
  };
};
