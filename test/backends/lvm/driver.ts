import { setTimeout as sleep } from 'node:timers/promises';
import { createChildren } from '../../../host-agent/children/child.ts';
import type { Driver } from '../../../host-agent/drivers/contract.ts';
import { LVM_BACKEND } from '../../../host-agent/drivers/lvm/config.ts';
import { lvmDriver } from '../../../host-agent/drivers/lvm/driver.ts';
import type { DriverDeps } from '../../../host-agent/drivers/registry.ts';
import { openChildJournal } from '../../../host-agent/journal/children.ts';
import { openKnownPools } from '../../../host-agent/journal/known-pools.ts';
import { createRunTool, type RunTool } from '../../../host-agent/tools/run-tool.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';

/** A driver as an agent makes it, with programs that are really run. */
export const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export interface DriverOptions {
  readonly directory?: string;
  readonly path?: string;
  readonly wrap?: (runTool: RunTool) => RunTool;
  readonly timeoutSeconds?: number;
  readonly time?: Pick<DriverDeps, 'monotonicMs' | 'sleep'>;
}

/** A wait of minutes takes a moment of the test's: each look again comes after so many times as long. */
export const hurriedTime = (factor: number): Pick<DriverDeps, 'monotonicMs' | 'sleep'> => {
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    async sleep(ms, signal) {
      await sleep(1, undefined, { signal });
      nowMs += ms * factor;
    },
  };
};

export const realDeps = async (directory: string, path: string): Promise<DriverDeps> => ({
  knownPools: await openKnownPools(directory),
  runTool: createRunTool(path),
  children: createChildren({ journal: await openChildJournal(directory), path }),
  runDir: directory,
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal });
  },
});

export const openDriver = async (pools: readonly object[], options: DriverOptions = {}): Promise<Driver> => {
  const { directory = await tempDir(), path = PATH, wrap = (tool) => tool, timeoutSeconds, time } = options;
  const config = LVM_BACKEND.parse({
    name: 'lvm',
    driver: 'lvm',
    pools,
    ...(timeoutSeconds === undefined ? {} : { command_timeout_seconds: timeoutSeconds }),
  });
  const deps = await realDeps(directory, path);
  return lvmDriver({
    backend: config.name,
    pools: config.pools,
    commandTimeoutMs: config.command_timeout_seconds * 1000,
    deps: { ...deps, ...time, runTool: wrap(deps.runTool) },
  });
};
