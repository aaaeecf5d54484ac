import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import { CRAWL, inMidCopy, isInTheMiddle } from './mid-copy.ts';
import type { Stage } from './stage.ts';

/** How the bytes come to the other pool, and how a test holds that in its middle. */
export interface Way {
  readonly phase: 'copying' | 'moving';
  /** Of the migration, so that it stops, or nearly, where the test can strike it. */
  readonly held: object;
  /** Resolves in the middle, which lasts until `letGo`. */
  inTheMiddle(stage: Stage, migration: Migration): Promise<void>;
  letGo(stage: Stage, migration: Migration): Promise<void>;
}

export interface Migration {
  readonly id: string;
  readonly volume: string;
}

/** Through the agents. */
export const COPIED: Way = {
  phase: 'copying',
  held: { bandwidth_bytes_per_second: CRAWL },
  inTheMiddle: async ({ rig }, { id }) => void (await inMidCopy(rig, id)),
  async letGo({ rig }, { id }) {
    const limit = { set_bandwidth: { bytes_per_second: null } };
    const reply = await rig.call('POST', `/migrations/${id}/action`, limit);
    if (reply.status !== 202) throw new Error(`no limit was answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  },
};

/** A program that begins is caught before it has done much. */
const CATCH_MS = 20;
const SLICE_MS = 100;
/** So long takes an agent, also a busy one, to tell how far it is. */
const TELLING_MS = 1_000;

/** By the backend, in a program that is found by `programOf`; it is let run in slices until some of it is done. */
export const movedBy = (programOf: (volume: string) => Promise<number | undefined>): Way => {
  const stopped = new Map<string, number>();
  return {
    phase: 'moving',
    held: {},
    async inTheMiddle({ rig }, { id, volume }) {
      const pid = await eventually(
        `the backend moves ${volume}`,
        async () => ({ pid: await programOf(volume), now: await rig.migration(id) }),
        ({ pid, now }) => pid ?? (isInTheMiddle('moving')(now) && undefined),
        CATCH_MS,
      );
      for (;;) {
        process.kill(pid, 'SIGSTOP');
        await sleep(TELLING_MS);
        if (isInTheMiddle('moving')(await rig.migration(id))) break;
        process.kill(pid, 'SIGCONT');
        await sleep(SLICE_MS);
      }
      stopped.set(id, pid);
    },
    async letGo(_, { id }) {
      const pid = stopped.get(id);
      try {
        if (pid !== undefined) process.kill(pid, 'SIGCONT');
      } catch {
        // it died with its agent
      }
    },
  };
};
