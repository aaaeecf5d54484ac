import { describe, expect, it } from 'vitest';
import type { Host } from '../../domain/host/host.ts';
import { play } from '../helpers/sim/script.ts';
import type { SimOptions } from '../helpers/sim/sim.ts';
import { MIGRATION } from './scenes.ts';

/** Over the real state machine file: a control plane that was frozen wakes up with old heartbeats, and hears the next ones in a moment. */

/** Validate finds every host silent, as often as said. */
const silentHosts = (times: number): NonNullable<SimOptions['plant']> => {
  let left = times;
  return (deps, _thread, name) => {
    if (name !== 'Validate' || left === 0) return deps;
    left -= 1;
    const silent = (host: Host | undefined): Host | undefined => host && { ...host, heartbeatAtMs: 0 };
    const hosts = { ...deps.store.hosts, get: async (id: string) => silent(await deps.store.hosts.get(id)) };
    return { ...deps, store: { ...deps.store, hosts } };
  };
};

const endsAfter = async (silences: number): Promise<string[]> => {
  const { checks, broken } = await play(MIGRATION, undefined, { plant: silentHosts(silences) });
  expect(broken).toBeUndefined();
  return [...checks.outcomes.values()];
};

describe('a host that Validate finds silent', () => {
  it.each([1, 2])('costs nothing when it is heard after %i of its tries', async (silences) => {
    expect(await endsAfter(silences)).toEqual(['success']);
  });

  it('ends the run when it is silent three times, the volume where it was', async () => {
    expect(await endsAfter(3)).toEqual(['error']);
  });
});
