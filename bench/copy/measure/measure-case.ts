import type { BenchCase } from '../cases.ts';
import { contendersOf } from '../contenders/all.ts';
import { isInstalled } from '../installed.ts';
import type { LeftOutRow, Row } from '../report/rows.ts';
import type { CaseDeps } from './case-deps.ts';
import { measureCopies } from './copy-case.ts';
import { measureMemory } from './memory-case.ts';

/** A case, or why it is left out: one that cannot be run does not end the others. */
export const measureCase = async (one: BenchCase, deps: CaseDeps): Promise<Row[]> => {
  const leftOut = (contender: string | null, reason: string, failed: boolean): LeftOutRow => ({
    kind: 'left out',
    case: one.name,
    contender,
    reason,
    failed,
  });
  try {
    if (one.kind === 'memory') return await measureMemory(one, deps);
    const all = contendersOf(one);
    const missing = (needs: readonly string[]): string[] => needs.filter((program) => !isInstalled(program));
    const here = all.filter(({ needs }) => missing(needs).length === 0);
    const away = all
      .filter((each) => !here.includes(each))
      .map(({ name, needs }) => leftOut(name, `not installed: ${missing(needs).join(', ')}`, false));
    return [...(await measureCopies(one, here, deps)), ...away];
  } catch (error) {
    deps.signal.throwIfAborted();
    return [leftOut(null, (error as Error).message, true)];
  }
};
