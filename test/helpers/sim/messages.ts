import type { Chance } from './random.ts';

/** "Look" messages on the hosts' queues. Nothing may depend on one: agents look by themselves, too, only later. */
export interface Messages {
  readonly send: (hostId: string) => void;
  /** Hosts that a message is under way to. */
  readonly underWay: () => readonly string[];
  /** Any of the host's messages: queues keep no order. */
  readonly take: (hostId: string) => void;
  readonly sent: () => number;
}

export const createMessages = (): Messages => {
  const waiting = new Map<string, number>();
  let sent = 0;
  return {
    send(hostId) {
      sent += 1;
      waiting.set(hostId, (waiting.get(hostId) ?? 0) + 1);
    },
    underWay: () => [...waiting.keys()],
    take(hostId) {
      const left = (waiting.get(hostId) ?? 0) - 1;
      if (left > 0) waiting.set(hostId, left);
      else waiting.delete(hostId);
    },
    sent: () => sent,
  };
};

/** How far each party's clock is from the true time, in milliseconds: drawn once, at the first look at it. */
export const skewedClocks = (chance: Chance, mostMs: number): ((party: string) => number) => {
  const skews = new Map<string, number>();
  return (party) => {
    const skew = skews.get(party) ?? (mostMs === 0 ? 0 : chance.below(2 * mostMs + 1) - mostMs);
    skews.set(party, skew);
    return skew;
  };
};
