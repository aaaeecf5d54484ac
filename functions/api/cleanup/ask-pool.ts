import { resultOf, type ScanResult } from '../../../domain/job/job.ts';
import type { Placement } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { askAgent, NO_ANSWER } from '../agents/ask.ts';
import type { Wait } from '../agents/wait.ts';

/** One page of a pool, from its host's agent; or why there is none. */
export type Page = { readonly ok: true; readonly page: ScanResult } | { readonly ok: false; readonly reason: string };

export const askPool =
  (deps: Deps) =>
  async (place: Placement, after: string | null, projectId: string, wait: Wait, what?: 'others'): Promise<Page> => {
    const input = { place, after, ...(what ? { what } : {}) };
    const question = { hostId: place.hostId, projectId, spec: { kind: 'pool.scan', input } } as const;
    const ended = await askAgent(deps)(question, wait);
    const page = resultOf(ended, 'pool.scan');
    if (page) return { ok: true, page };
    return { ok: false, reason: ended?.stage.state === 'failed' ? ended.stage.failure.message : NO_ANSWER };
  };
