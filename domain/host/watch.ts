import { type Decision, write } from '../decision.ts';

/**
 * Since when the control plane has been there without a break to hear hosts: the sweeper leaves a mark at each pass. A host is
 * not lost for the time in which it could not have been heard.
 */
export interface Watch {
  readonly lastPassAtMs: number;
  /** 0: it is not known that there ever was a break. */
  readonly sinceMs: number;
}

export const newWatch = (nowMs: number): Watch => ({ lastPassAtMs: nowMs, sinceMs: 0 });

/** Half of it: with the silence before and after, a shorter break is never as long as a host may be silent. */
const breakMs = (hostLostAfterMs: number): number => hostLostAfterMs / 2;

export const passWatch =
  (hostLostAfterMs: number, nowMs: number) =>
  (watch: Watch): Decision<Watch> =>
    write({
      lastPassAtMs: Math.max(nowMs, watch.lastPassAtMs),
      sinceMs: nowMs - watch.lastPassAtMs >= breakMs(hostLostAfterMs) ? nowMs : watch.sinceMs,
    });
