import type { Failure } from '../../../domain/error.ts';
import { type CheckResult, resultOf } from '../../../domain/job/job.ts';
import type { Way } from '../../../domain/migration/way.ts';
import type { ObjectRef } from '../../../domain/placement.ts';
import type { Deps } from '../../shared/deps.ts';
import { askAgent, NO_ANSWER } from '../agents/ask.ts';
import type { Wait } from '../agents/wait.ts';

/** What the source's agent says: how it would be moved, what is in the way, or why it said nothing. */
export type SourceAnswer =
  | { readonly answer: 'way'; readonly check: CheckResult }
  | { readonly answer: 'refusal'; readonly failure: Failure }
  | { readonly answer: 'none'; readonly why: string };

export interface AskSource {
  readonly source: ObjectRef;
  readonly sizeBytes: number;
  readonly projectId: string;
  readonly way: Way | undefined;
}

export const askSource =
  (deps: Deps) =>
  async ({ source, sizeBytes, projectId, way }: AskSource, wait: Wait): Promise<SourceAnswer> => {
    const input = { source, sizeBytes, moveTo: way?.way === 'backend' ? way.pool : null };
    const spec = { kind: 'source.check', input } as const;
    const ended = await askAgent(deps)({ hostId: source.hostId, projectId, spec }, wait);
    const check = resultOf(ended, 'source.check');
    if (check) return { answer: 'way', check };
    if (ended?.stage.state === 'failed') return { answer: 'refusal', failure: ended.stage.failure };
    return { answer: 'none', why: NO_ANSWER };
  };
