import { describe, expect, it } from 'vitest';
import { createLease } from '../../host-agent/lease.ts';

const leaseOf = (lapsesAfterMs: number) => {
  let nowMs = 1_000_000;
  const lease = createLease(lapsesAfterMs, () => nowMs);
  return {
    lease,
    advanceMs: (ms: number) => {
      nowMs += ms;
    },
  };
};

describe('the lease', () => {
  it('holds up to its time after the last answered heartbeat, and lapses beyond it, once', () => {
    const { lease, advanceMs } = leaseOf(6_000);
    const { signal } = lease;

    advanceMs(6_000);
    const atTheLimit = lease.check();
    advanceMs(1);
    const beyond = [lease.check(), lease.check()];

    expect(atTheLimit).toBe(false);
    expect(beyond).toEqual([true, false]);
    expect(signal.aborted).toBe(true);
    expect((signal.reason as Error).message).toContain('6000 ms');
  });

  it('that is renewed in time never lapses', () => {
    const { lease, advanceMs } = leaseOf(6_000);

    for (let i = 0; i < 10; i++) {
      advanceMs(5_999);
      expect(lease.check()).toBe(false);
      lease.renewed();
    }

    expect(lease.signal.aborted).toBe(false);
  });

  it('comes back with the next answered heartbeat as a new signal: what was stopped stays stopped', () => {
    const { lease, advanceMs } = leaseOf(6_000);
    const old = lease.signal;
    advanceMs(7_000);
    lease.check();

    lease.renewed();

    expect(old.aborted).toBe(true);
    expect(lease.signal.aborted).toBe(false);
    expect(lease.check()).toBe(false);
  });
});
