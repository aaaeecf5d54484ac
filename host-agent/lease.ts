/**
 * The right to do I/O, by the agent's own monotonic clock: it lapses after a number of missed heartbeats, before anybody else
 * may take the host over, and comes back with the next one that is answered (design section 3).
 */
export interface Lease {
  /** Aborted while the lease has lapsed; a new one after it came back. */
  readonly signal: AbortSignal;
  /** A heartbeat that was sent at `atMs` (monotonic; now when left out) was answered. One that was sent too long ago renews nothing. */
  renewed(atMs?: number): void;
  /** To be called often, and before anything that needs the lease; aborts the signal when too much time has passed. True when this call ended the lease. */
  check(): boolean;
}

/** Why I/O of this host was stopped: it says nothing about the job that did it. */
export class LeaseLapsed extends Error {}

/** `onLapsed` hears of each end, whoever found it. */
export const createLease = (
  lapsesAfterMs: number,
  monotonicMs: () => number,
  onLapsed: (reason: Error) => void = () => undefined,
): Lease => {
  let renewedAt = monotonicMs();
  let current = new AbortController();
  return {
    get signal() {
      return current.signal;
    },
    renewed(atMs = monotonicMs()) {
      renewedAt = Math.max(renewedAt, atMs);
      if (current.signal.aborted && monotonicMs() - renewedAt <= lapsesAfterMs) current = new AbortController();
    },
    check() {
      if (current.signal.aborted || monotonicMs() - renewedAt <= lapsesAfterMs) return false;
      const reason = new LeaseLapsed(`no heartbeat was answered for ${lapsesAfterMs} ms`);
      current.abort(reason);
      onLapsed(reason);
      return true;
    },
  };
};
