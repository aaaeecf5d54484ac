import type { Job } from '../../../domain/job/job.ts';
import type { Clock } from '../../../domain/ports.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { createActors } from './agent/actors.ts';
import { createHostAgent, type HostAgent } from './agent/host.ts';
import type { Thread, Turns } from './turns.ts';
import type { World } from './world.ts';

/**
 * Host agents: the real loop, jobs, exports and journals (host-agent/) over simulated disks, pools, connections and time.
 * Every act on them is a turn, so an agent can be frozen, killed and restarted between any two of them.
 */
export interface Agents {
  /** Jobs that an agent could look for now. */
  readonly ready: () => Job[];
  readonly begin: (job: Job) => void;
  /** The process dies with everything that it was about to do, except what is on the network. */
  readonly crash: (hostId: string) => void;
  readonly restart: (hostId: string) => void;
  /** The clock has moved on: those who are neither dead nor frozen beat, and wake who slept until now. */
  readonly timePassed: () => void;
}

export interface AgentParts {
  readonly turns: Turns;
  readonly world: World;
  readonly clock: Clock;
  readonly jobsOf: (hostId: string) => Job[];
  readonly depsOf: (thread: Thread) => Deps;
  /** True when the backend refuses this removal as busy. */
  readonly isBusy: (objectName: string) => boolean;
}

export const createAgents = (parts: AgentParts, onError: (error: unknown) => void): Agents => {
  const { turns, world } = parts;
  const agents = new Map<string, HostAgent>();
  const of = (hostId: string): HostAgent => {
    const found = agents.get(hostId);
    if (!found) throw new Error(`There is no agent on ${hostId}.`);
    return found;
  };
  const all = {
    ...parts,
    onError,
    actors: createActors(turns),
    rules: world.rules,
    // an export that is never closed would keep its object for ever, and hide what else comes of that
    isOpen: (name: string) => world.rules.seal && [...agents.values()].some((agent) => agent.holds(name)),
    serverOf: (hostId: string) => (world.host(hostId).up ? agents.get(hostId)?.process()?.server : undefined),
  };
  for (const id of world.hosts.keys()) agents.set(id, createHostAgent(id, { disk: new Map(), leaves: new Map() }, all));

  return {
    ready: () => [...agents.values()].flatMap((agent) => agent.ready()),
    begin: (job) => of(job.hostId).look(job),
    crash(hostId) {
      const host = world.host(hostId);
      host.up = false;
      host.paused = false;
      for (const thread of turns.threads()) if (thread.hostId === hostId) turns.kill(thread);
      of(hostId).die();
    },
    restart(hostId) {
      const host = world.host(hostId);
      const wasUp = host.up;
      const wasPaused = host.paused;
      host.up = true;
      host.paused = false;
      if (!wasUp) {
        host.incarnation += 1;
        of(hostId).start();
      } else if (wasPaused) of(hostId).wake();
    },
    timePassed() {
      for (const [hostId, agent] of agents) {
        const { up, paused } = world.host(hostId);
        if (up && !paused) agent.timePassed();
      }
    },
  };
};
