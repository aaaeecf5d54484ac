import type { PoolReport } from '../../../domain/host/host.ts';
import type { DriverDeps } from '../registry.ts';

/**
 * A heartbeat waits for the reports of the pools, so a cluster that answers nothing must not hold it up: then the last answer stands
 * as long as a request may take, and after that the pools are offline.
 */
export interface PatientDeps extends Pick<DriverDeps, 'monotonicMs' | 'sleep'> {
  readonly measure: (signal: AbortSignal) => Promise<PoolReport[]>;
  readonly offline: (reason: string) => PoolReport[];
  readonly standsMs: number;
}

/** With the beat itself below the time after which an agent of an embedded cloud gives its lease up. */
const PATIENCE_MS = 2_500;

export const patiently = (deps: PatientDeps): ((signal: AbortSignal) => Promise<PoolReport[]>) => {
  const { measure, offline, standsMs, monotonicMs, sleep } = deps;
  let last: { readonly reports: PoolReport[]; readonly atMs: number } | undefined;
  let underWay: Promise<PoolReport[]> | undefined;

  const begin = (signal: AbortSignal): Promise<PoolReport[]> => {
    const atMs = monotonicMs();
    underWay ??= measure(signal)
      .then((reports) => {
        last = { reports, atMs };
        return reports;
      })
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  };

  return async (signal) => {
    const measuring = begin(signal);
    // nothing is known before the first one, and no lease is held yet
    if (!last) return measuring;
    const answered = new AbortController();
    const ends = AbortSignal.any([signal, answered.signal]);
    const patience = sleep(PATIENCE_MS, ends).catch(() => undefined);
    const reports = await Promise.race([measuring, patience.then(() => undefined)]);
    answered.abort();
    if (reports) return reports;
    // the heartbeat is told at its next look; it would be nobody's otherwise
    measuring.catch(() => undefined);
    const ageMs = monotonicMs() - last.atMs;
    return ageMs < standsMs ? last.reports : offline(`the cluster has not answered for ${Math.floor(ageMs / 1000)} s`);
  };
};
