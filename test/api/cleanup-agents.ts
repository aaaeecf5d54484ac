import { type Failure, volmoveError } from '../../domain/error.ts';
import { type CheckResult, isJobEnded, type Job, type JobTypes, type ScannedObject } from '../../domain/job/job.ts';
import { finishJob, takeJob } from '../../domain/job/steps.ts';
import { YOUNG_MS } from '../../domain/leftover.ts';
import { formatPlacement } from '../../domain/placement.ts';
import { START_MS } from '../helpers/clock.ts';
import type { World } from './world.ts';

/** Agents that list and remove, at work whenever the API sleeps. What lies in their pools is a map from places to objects. */

export const inPool = (objectName: string, change: Partial<ScannedObject> = {}): ScannedObject => ({
  objectName,
  objectId: `id-of-${objectName}`,
  sizeBytes: 4096,
  madeAtMs: START_MS - 2 * YOUNG_MS,
  ...change,
});

export const withAgents = (world: World, pools: Record<string, ScannedObject[]> = {}) => {
  const agents = {
    pools: new Map(Object.entries(pools)),
    /** Objects that somebody has open. */
    busy: new Set<string>(),
    /** Hosts whose agent answers nothing. */
    frozen: new Set<string>(),
    pageObjects: 1000,
    removed: [] as string[],
    /** What a dry run hears of a source. */
    check: { way: 'copy', why: null, readback: 'direct' } as CheckResult,
    /** What others have made there, by places. */
    others: new Map<string, ScannedObject[]>(),
  };

  const scan = ({ place, after, what }: JobTypes['pool.scan']['input']): JobTypes['pool.scan']['result'] => {
    const here = (what === 'others' ? agents.others : agents.pools).get(formatPlacement(place)) ?? [];
    const behind = here
      .toSorted((a, b) => (a.objectName < b.objectName ? -1 : 1))
      .filter(({ objectName }) => after === null || objectName > after);
    return { objects: behind.slice(0, agents.pageObjects), more: behind.length > agents.pageObjects };
  };

  const remove = ({ objectName, place }: JobTypes['object.remove']['input']): JobTypes['object.remove']['result'] => {
    if (agents.busy.has(objectName)) throw volmoveError('ObjectBusy', { object: objectName, reason: 'it is open' });
    const here = agents.pools.get(formatPlacement(place)) ?? [];
    agents.pools.set(
      formatPlacement(place),
      here.filter((one) => one.objectName !== objectName),
    );
    agents.removed.push(objectName);
    return { existed: here.some((one) => one.objectName === objectName) };
  };

  const check = ({ source }: JobTypes['source.check']['input']): CheckResult => {
    if (agents.busy.has(source.objectName))
      throw volmoveError('ObjectBusy', { object: source.objectName, reason: 'it is open' });
    return agents.check;
  };

  const act = (job: Job): { ok: true; result: JobTypes[Job['kind']]['result'] } | { ok: false; failure: Failure } => {
    try {
      if (job.kind === 'pool.scan') return { ok: true, result: scan(job.input) };
      if (job.kind === 'source.check') return { ok: true, result: check(job.input) };
      if (job.kind === 'object.remove') return { ok: true, result: remove(job.input) };
      throw new Error(`no ${job.kind} here`);
    } catch (error) {
      return { ok: false, failure: (error as ReturnType<typeof volmoveError>).toFailure() };
    }
  };

  const work = async (): Promise<void> => {
    const { jobs, hosts } = world.store;
    for (const { id: hostId } of await hosts.all()) {
      if (agents.frozen.has(hostId)) continue;
      for (const job of (await jobs.ofHost(hostId)).filter((one) => !isJobEnded(one))) {
        const nowMs = world.clock.nowMs();
        const taken = await jobs.apply([hostId, job.id], takeJob('agent', job.attempt, nowMs));
        const holder = { attempt: taken.value.attempt, incarnation: 'agent' };
        await jobs.apply([hostId, job.id], finishJob(holder, act(taken.value), nowMs));
      }
    }
  };
  world.meanwhile.act = work;
  return agents;
};
