import { type Decision, write } from '../decision.ts';

/**
 * Since when the control plane has been there without a break to hear hosts: the sweeper leaves marks at each pass, and all
 * through one that takes long. A host is not lost for the time in which it could not have been heard.
 */
export interface Watch {
  /** Of the last mark: while a pass goes on, too. */
  readonly lastPassAtMs: number;
  /** The mark that ended the last break. */
  readonly sinceMs: number;
}

/** Whether there was a break before is not known: it counts as one. */
export const newWatch = (nowMs: number): Watch => ({ lastPassAtMs: nowMs, sinceMs: nowMs });

/** Half of it: with the silence before and after, a shorter break is never as long as a host may be silent. */
const breakMs = (hostLostAfterMs: number): number => hostLostAfterMs / 2;

export const markWatch =
  (hostLostAfterMs: number, nowMs: number) =>
  (watch: Watch): Decision<Watch> =>
    write({
      lastPassAtMs: Math.max(nowMs, watch.lastPassAtMs),
      sinceMs: nowMs - watch.lastPassAtMs >= breakMs(hostLostAfterMs) ? nowMs : watch.sinceMs,
    });

/** Often enough that what comes between two marks is no break. */
export const markEveryMs = (hostLostAfterMs: number): number => breakMs(hostLostAfterMs) / 4;

/** For how long hosts could be heard; 0 when the last mark is so old that whoever left it was away himself since. */
export const heardForMs =
  (hostLostAfterMs: number, nowMs: number) =>
  ({ lastPassAtMs, sinceMs }: Watch): number =>
    nowMs - lastPassAtMs >= breakMs(hostLostAfterMs) ? 0 : nowMs - sinceMs;
