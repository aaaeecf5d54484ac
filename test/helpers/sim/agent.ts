import { toFailure, VolmoveError, volmoveError } from '../../../domain/error.ts';
import type { Job, JobKind, JobTypes } from '../../../domain/job/job.ts';
import { finishJob, type JobOutcome, reportProgress, takeJob } from '../../../domain/job/steps.ts';
import type { Deps } from '../../../functions/shared/deps.ts';
import { tellResult } from '../../../store/results.ts';
import type { Thread, Turns } from './turns.ts';
import { digestOf, type World } from './world.ts';

/**
 * Host agents as the real ones order their work: take the job, act on the storage, write the result to the job, then tell it.
 * Every act is a turn, so an agent can be frozen, killed and restarted between any two of them.
 */
export interface Agents {
  /** Jobs that an agent could take now. */
  readonly ready: () => Job[];
  readonly begin: (job: Job) => void;
  /** The process dies with everything that it was about to do, except what is on the network. */
  readonly crash: (hostId: string) => void;
  readonly restart: (hostId: string) => void;
}

export interface AgentParts {
  readonly turns: Turns;
  readonly world: World;
  readonly jobsOf: (hostId: string) => Job[];
  readonly depsOf: (thread: Thread) => Deps;
  /** True when the backend refuses this removal as busy. */
  readonly isBusy: (objectName: string) => boolean;
}

interface Attempt {
  readonly parts: AgentParts;
  readonly thread: Thread;
  readonly deps: Deps;
  readonly job: Job;
}

type Handlers = {
  readonly [K in JobKind]: (a: Attempt, input: JobTypes[K]['input']) => Promise<JobTypes[K]['result']>;
};

const exportOf = (job: Job): string => `${job.migrationId}.${job.run}`;

/** Learns of a cancel and of a takeover, as the real agent does with the answer to a report. */
const report = async ({ deps, job }: Attempt): Promise<void> => {
  if (job.stage.state !== 'running') return;
  const holder = { attempt: job.attempt, incarnation: job.stage.incarnation };
  const progress = {
    doneBytes: 1,
    totalBytes: 2,
    rateBytesPerSecond: 1,
    attempt: job.attempt,
    n: 1,
    atMs: deps.clock.nowMs(),
  };
  const { value } = await deps.store.jobs.apply([job.hostId, job.id], reportProgress(holder, progress, null));
  if (value.control.cancel) throw volmoveError('Cancelled', { by: 'the control plane' });
};

const CHUNK_BYTES = 1024 * 1024;
const rangeOf = (chunk: 0 | 1) => ({ fromByte: chunk * CHUNK_BYTES, endByte: (chunk + 1) * CHUNK_BYTES });

const readBack = async (
  { parts: { turns, world }, thread, job }: Attempt,
  input: JobTypes['data.verify']['input'],
): Promise<JobTypes['data.verify']['result']> => {
  const generation = await turns.turn(thread, `seals ${exportOf(job)}`, () => world.seal(job.hostId, exportOf(job)));
  const name = input.object.objectName;
  const digest = await turns.turn(thread, `reads back ${name}`, () =>
    digestOf([world.readChunk(name, 0), world.readChunk(name, 1)]),
  );
  return { digest: input.digest ? digest : null, generation, readback: 'direct' };
};

const HANDLERS: Handlers = {
  'volume.create': async ({ parts: { turns, world }, thread }, { objectName, place, sizeBytes }) => {
    await turns.turn(thread, `makes ${objectName}`, () => world.make(place, objectName));
    return { object: { ...place, objectName, objectId: `id-of-${objectName}`, sizeBytes } };
  },

  'destination.prepare': async ({ parts: { turns, world }, thread, job }, { objectName, place, sizeBytes }) => {
    await turns.turn(thread, `makes ${objectName}`, () => world.make(place, objectName));
    await turns.turn(thread, `opens ${exportOf(job)}`, () => world.admit(job.hostId, exportOf(job), objectName));
    const object = { ...place, objectName, objectId: `id-of-${objectName}`, sizeBytes };
    return { object, zero: true, address: `${job.hostId}:9810`, fingerprint: `fingerprint-of-${job.hostId}` };
  },

  'data.copy': async (attempt, input) => {
    const { parts, thread, job } = attempt;
    const { turns, world } = parts;
    const peer = input.peer.address.split(':')[0] ?? '';
    const copied: [number, number] = [-1, -1];
    for (const chunk of [0, 1] as const) {
      const value = await turns.turn(thread, `reads chunk ${chunk} of ${input.source.objectName}`, () =>
        world.readChunk(input.source.objectName, chunk),
      );
      copied[chunk] = value;
      const write = (): void => world.writeChunk(peer, exportOf(job), job.attempt, chunk, value);
      await turns.turn(thread, `writes chunk ${chunk} to ${exportOf(job)}.${job.attempt}`, write, {
        onTheNetwork: true,
      });
      if (chunk === 0) await report(attempt);
    }
    return {
      digest: input.digest ? digestOf(copied) : null,
      writeEpoch: input.writeEpoch,
      generation: job.attempt,
      bytesRead: 2,
      bytesWritten: 2,
      durationMs: 1,
    };
  },

  'data.verify': async (attempt, input) => {
    const { parts, thread, job } = attempt;
    const read = await readBack(attempt, input);
    const { expected } = input;
    if (expected && expected.generation === read.generation && expected.digest !== read.digest) {
      const open = (): void => parts.world.openForRepair(job.hostId, exportOf(job), read.generation);
      await parts.turns.turn(thread, `opens ${exportOf(job)} for a repair`, open);
    }
    return read;
  },

  'data.repair': async (attempt, input) => {
    const { parts, thread, job } = attempt;
    const { turns, world } = parts;
    const peer = input.peer.address.split(':')[0] ?? '';
    const generation = input.sealed.generation + job.attempt;
    const theirs = input.sealed.digest.split('/').map(Number);
    const mine = input.sourceDigest.split('/').map(Number);
    const differing = ([0, 1] as const).filter((chunk) => mine[chunk] !== theirs[chunk]);
    for (const chunk of differing) {
      const value = await turns.turn(thread, `reads chunk ${chunk} of ${input.source.objectName} again`, () =>
        world.readChunk(input.source.objectName, chunk),
      );
      mine[chunk] = value;
      await report(attempt);
      const write = (): void => world.writeChunk(peer, exportOf(job), generation, chunk, value);
      await turns.turn(thread, `repairs chunk ${chunk} of ${exportOf(job)}.${generation}`, write, {
        onTheNetwork: true,
      });
    }
    const [first = -1, second = -1] = mine;
    return {
      digest: digestOf([first, second]),
      writeEpoch: input.writeEpoch,
      generation,
      differing: { ranges: differing.map(rangeOf), more: 0 },
      hashes: null,
      bytesRead: 1,
      bytesWritten: 1,
      durationMs: 1,
    };
  },

  'data.reverify': (attempt, input) => readBack(attempt, input),

  'object.remove': async ({ parts: { turns, world, isBusy }, thread, job }, { objectName }) => {
    await turns.turn(thread, `buries ${objectName}`, () => world.bury(job.hostId, objectName));
    const existed = await turns.turn(thread, `removes object ${objectName}`, () => {
      if (isBusy(objectName)) throw volmoveError('ObjectBusy', { object: objectName, reason: 'somebody has it open' });
      return world.remove(objectName);
    });
    return { existed };
  },
};

/** Taken over by somebody else, or ended and taken off the list while this agent was frozen: nothing is left to write. */
const GONE: readonly string[] = ['JobSuperseded', 'JobNotFound'];

const work = async (attempt: Attempt): Promise<JobOutcome | 'superseded'> => {
  try {
    if (attempt.job.control.cancel) throw volmoveError('Cancelled', { by: 'the control plane' });
    const handler = HANDLERS[attempt.job.kind] as (
      a: Attempt,
      input: JobTypes[JobKind]['input'],
    ) => Promise<JobTypes[JobKind]['result']>;
    return { ok: true, result: await handler(attempt, attempt.job.input) };
  } catch (error) {
    if (!(error instanceof VolmoveError)) throw error;
    return GONE.includes(error.code) ? 'superseded' : { ok: false, failure: toFailure(error) };
  }
};

const runJob = async (parts: AgentParts, thread: Thread, seen: Job, incarnation: string): Promise<void> => {
  const deps = parts.depsOf(thread);
  const id: [string, string] = [seen.hostId, seen.id];
  const superseded = (error: unknown): undefined => {
    if (error instanceof VolmoveError && GONE.includes(error.code)) return undefined;
    throw error;
  };
  const take = takeJob(incarnation, seen.attempt, deps.clock.nowMs());
  const taken = await deps.store.jobs.apply(id, take).catch(superseded);
  if (!taken) return;
  const outcome = await work({ parts, thread, deps, job: taken.value });
  if (outcome === 'superseded') return;
  const finish = finishJob({ attempt: taken.value.attempt, incarnation }, outcome, deps.clock.nowMs());
  const ended = await deps.store.jobs.apply(id, finish).catch(superseded);
  if (ended) await tellResult(deps)(ended.value).catch(superseded);
};

export const createAgents = (parts: AgentParts, onError: (error: unknown) => void): Agents => {
  const { turns, world } = parts;
  const running = new Map<string, Set<string>>();
  const of = (hostId: string): Set<string> => {
    const jobs = running.get(hostId) ?? new Set();
    running.set(hostId, jobs);
    return jobs;
  };
  const incarnationOf = (hostId: string): string => `${hostId}-${world.host(hostId).incarnation}`;
  const mayTake = (job: Job): boolean => {
    const host = world.host(job.hostId);
    if (!host.up || host.paused || of(job.hostId).has(job.id)) return false;
    return job.stage.state === 'queued' || job.stage.state === 'running';
  };

  return {
    ready: () => [...world.hosts.keys()].flatMap((hostId) => parts.jobsOf(hostId).filter(mayTake)),
    begin(job) {
      const thread = turns.newThread(`agent ${job.hostId} with ${job.id}`, 'agent', job.hostId);
      const jobs = of(job.hostId);
      jobs.add(job.id);
      runJob(parts, thread, job, incarnationOf(job.hostId))
        .catch(onError)
        .finally(() => jobs.delete(job.id));
    },
    crash(hostId) {
      const host = world.host(hostId);
      host.up = false;
      host.paused = false;
      running.set(hostId, new Set());
      for (const thread of turns.threads()) if (thread.hostId === hostId) turns.kill(thread);
    },
    restart(hostId) {
      const host = world.host(hostId);
      if (!host.up) host.incarnation += 1;
      host.up = true;
      host.paused = false;
    },
  };
};
