import type { Phase } from './migration.ts';

/**
 * The one table of a run's transitions. From `requested` a run enters `validating`; every phase may go to `rolling_back`, but from
 * `switching` nothing leads back. Succeeded and failed are reached from the volume's outcome alone, never from a phase
 * (domain/migration/end.ts).
 */
export const NEXT_PHASES: Readonly<Record<Phase, readonly Phase[]>> = {
  validating: ['locking', 'rolling_back'],
  locking: ['preparing', 'moving', 'rolling_back'],
  preparing: ['copying', 'rolling_back'],
  copying: ['verifying', 'finalizing', 'rolling_back'],
  moving: ['preparing', 'switching', 'rolling_back'],
  switching: ['finalizing'],
  verifying: ['repairing', 'finalizing', 'rolling_back'],
  repairing: ['reverifying', 'rolling_back'],
  reverifying: ['finalizing', 'rolling_back'],
  finalizing: ['rolling_back'],
  rolling_back: [],
};

type CleanupRank = 'cleanup_needs_you' | 'cleanup_done' | 'cleanup_needs_you_after_done';

/** Rank of a phase in event sequence numbers; leaves room for phases in between. */
export const PHASE_RANK: Readonly<Record<Phase | 'started' | 'ended' | CleanupRank, number>> = {
  started: 1,
  validating: 10,
  locking: 20,
  preparing: 30,
  copying: 40,
  moving: 25,
  verifying: 50,
  repairing: 52,
  reverifying: 54,
  switching: 58,
  finalizing: 60,
  rolling_back: 70,
  ended: 80,
  cleanup_needs_you: 90,
  cleanup_done: 95,
  cleanup_needs_you_after_done: 97,
};
