import { volmoveError } from '../domain/error.ts';
import type { Job } from '../domain/job/job.ts';
import { firstToken, olderThan, type TaskToken } from '../domain/job/token.ts';
import type { Applied, Collection } from './collection.ts';

/**
 * The tokens that wait for jobs. The one that a job was made for stands in the job itself; it gets an item of its own when it
 * was answered, or when a newer one takes its place. Both are made on condition that there is none, so neither loses the other.
 */
export type Tokens = TokenItems & {
  /** Those that have items of their own. */
  ofHost(hostId: string): Promise<TaskToken[]>;
};
type TokenItems = Collection<TaskToken, [hostId: string, jobId: string]>;

/** No state waits for so long: the longest time that a copy may be given is a fortnight. DynamoDB removes the item then. */
const TOKEN_KEPT_SECONDS = 30 * 86_400;
export const tokenTtl = ({ enteredAtMs }: TaskToken): number => Math.ceil(enteredAtMs / 1000) + TOKEN_KEPT_SECONDS;

export const tokensOfJobs = (
  items: TokenItems,
  jobs: Pick<Collection<Job, [hostId: string, jobId: string]>, 'get'>,
  ofHost: Tokens['ofHost'],
): Tokens => {
  const first = async (hostId: string, jobId: string): Promise<TaskToken | undefined> => {
    const job = await jobs.get(hostId, jobId);
    return job && firstToken(job);
  };
  const get = async (hostId: string, jobId: string): Promise<TaskToken | undefined> => {
    const [item, stands] = await Promise.all([items.get(hostId, jobId), first(hostId, jobId)]);
    return item && stands && olderThan(item, stands) ? stands : (item ?? stands);
  };

  return {
    ...items,
    ofHost,
    get,
    async create(token) {
      const stands = await first(token.hostId, token.jobId);
      if (!stands) return items.create(token);
      return { value: (await get(token.hostId, token.jobId)) ?? stands, wrote: false, rev: 0 };
    },
    async apply(id, rule): Promise<Applied<TaskToken>> {
      const stands = await first(...id);
      // an item of a job that was forgotten may be older than the token of the same job made anew
      const onNewest: typeof rule = (item) => rule(stands && olderThan(item, stands) ? stands : item);
      if (await items.get(...id)) return items.apply(id, onNewest);
      if (!stands) throw volmoveError('JobNotFound', { id: id[1] });
      const decision = rule(stands);
      if (decision.kind === 'refuse') throw decision.error;
      if (decision.kind === 'already') return { value: decision.current, wrote: false, rev: 0 };
      const made = await items.create(decision.next);
      return made.wrote ? made : items.apply(id, onNewest);
    },
  };
};
