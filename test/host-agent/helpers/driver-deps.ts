import type { DriverDeps, KnownPools } from '../../../host-agent/drivers/registry.ts';

/** For drivers that need nothing of the agent but what it remembers. */
const notLent = (): never => {
  throw new Error('This driver was lent nothing of the kind.');
};

export const driverDeps = (knownPools: KnownPools): DriverDeps => ({
  knownPools,
  runTool: notLent,
  children: { start: notLent },
  runDir: '/nonexistent',
  monotonicMs: () => performance.now(),
  sleep: notLent,
});
