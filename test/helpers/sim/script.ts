import { VolmoveError } from '../../../domain/error.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { type Checks, createChecks } from './checks.ts';
import { drain } from './drain.ts';
import { createSim, type Sim, type SimOptions } from './sim.ts';
import type { Fault, Thread, Turn } from './turns.ts';

/** A scripted story: everybody takes turns in the order in which they asked, and what is planned happens at its turn. */

export interface Scene {
  readonly name: string;
  /** What the pools hold, and who lives there, before anything is asked for. */
  readonly before?: (sim: Sim) => Promise<unknown>;
  /** What is asked for at the beginning. */
  readonly ask: (deps: Deps) => Promise<unknown>;
  /** When a turn with this label comes up for the first time, or whenever it does, somebody asks for something more. */
  readonly meanwhile?: {
    readonly at: RegExp;
    readonly whenever?: true;
    readonly ask: (sim: Sim, deps: Deps, thread: Thread) => Promise<unknown>;
  };
}

export type Blow = (turn: Turn, sim: Sim) => Fault;

export interface Played {
  readonly sim: Sim;
  readonly checks: Checks;
  readonly broken: string | undefined;
  readonly trace: readonly string[];
  /** What came of each time that somebody asked for something more: the code of the refusal, or that there was none. */
  readonly more: readonly string[];
}

/** The code of the refusal, if it was refused. */
export const refusalsAside = async (asked: Promise<unknown>): Promise<string> => {
  try {
    await asked;
    return 'accepted';
  } catch (error) {
    if (!(error instanceof VolmoveError)) throw error;
    return error.code;
  }
};

export const play = async (scene: Scene, blow: Blow = () => 'none', options: SimOptions = {}): Promise<Played> => {
  const sim = await createSim(options);
  await scene.before?.(sim);
  const checks = createChecks(sim);
  const trace: string[] = [];
  const more: string[] = [];
  let next = scene.meanwhile;
  sim.spawn('request', 'api', async (deps) => {
    await refusalsAside(scene.ask(deps));
  });
  const broken = await drain(sim, checks, {
    trace: (line) => trace.push(line),
    fault(turn) {
      if (next?.at.test(turn.label)) {
        const { ask, whenever } = next;
        if (!whenever) next = undefined;
        sim.spawn('second request', 'guest', async (deps, thread) => {
          more.push(await refusalsAside(ask(sim, deps, thread)));
        });
      }
      return blow(turn, sim);
    },
  });
  return { sim, checks, broken, trace, more };
};

/** The agent's process dies with the turn and is started again at once. */
export const restartAgent = (sim: Sim, hostId: string): void => {
  sim.agents.crash(hostId);
  sim.agents.restart(hostId);
};
