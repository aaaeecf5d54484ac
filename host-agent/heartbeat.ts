import { VolmoveError } from '../domain/error.ts';
import { beat, type Host } from '../domain/host/host.ts';
import type { Clock } from '../domain/ports.ts';
import type { Store } from '../store/store.ts';
import type { Reports } from './backend-reports.ts';
import type { Lease } from './lease.ts';

/** Says that the host is alive and what its pools have. A refused heartbeat means that another agent is this host now. */
export interface HeartbeatDeps {
  readonly store: Pick<Store, 'hosts'>;
  readonly reports: Reports;
  readonly clock: Clock;
  readonly lease: Lease;
  readonly monotonicMs?: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onProblem: (what: string, error: unknown) => void;
}

/** Beats until the signal; throws AgentSuperseded. */
export const keepBeating = async (deps: HeartbeatDeps, host: Host, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    try {
      const backends = await deps.reports(host.heartbeatMs / 2, signal);
      // others count from the time that is written, so the lease must not count from the answer
      const sentAtMs = deps.monotonicMs?.();
      await deps.store.hosts.apply(
        [host.id],
        beat({ incarnation: host.incarnation, backends, nowMs: deps.clock.nowMs() }),
      );
      deps.lease.renewed(sentAtMs);
    } catch (error) {
      if (error instanceof VolmoveError && error.code === 'AgentSuperseded') throw error;
      if (signal.aborted) return;
      deps.onProblem('heartbeat', error);
    }
    await deps.sleep(host.heartbeatMs, signal).catch(() => undefined);
  }
};
