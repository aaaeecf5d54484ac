import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { type FunctionDefinition, functions } from '../../infra/functions.ts';

/** What a function's code can do is read from its code, so that a permission that is missing is found before a cloud finds it. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The function as it is bundled, without what it never calls and without packages. */
const codeOf = async ({ entry }: FunctionDefinition): Promise<string> => {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
  return outputFiles.map(({ text }) => text).join('\n');
};

/** What tells that a function does something; each stands in the code of at least one. */
const SIGNS = {
  'ends jobs or tells their results': /tellResult\(|cancelJob\(/,
  'tells events': /notifier\.notify\(/,
  'queues a look': /queues\.look\(/,
  'starts executions': /executions\.start\(/,
} as const;
const codes = new Map(functions.map((definition) => [definition, codeOf(definition)]));
const does = async (definition: FunctionDefinition, what: keyof typeof SIGNS): Promise<boolean> =>
  SIGNS[what].test((await codes.get(definition)) ?? '');

describe('what a function does', () => {
  it.each(Object.keys(SIGNS) as (keyof typeof SIGNS)[])('is seen in the code of one that %s', async (what) => {
    const seen = await Promise.all(functions.map((definition) => does(definition, what)));

    expect(seen).toContain(true);
    expect(seen).toContain(false);
  });
});

describe.each(functions)('$name', (definition) => {
  it('may answer tasks when it ends jobs or tells their results', async () => {
    const ends = await does(definition, 'ends jobs or tells their results');

    expect(ends && !definition.answersTasksOf).toBe(false);
  });

  it('may put events on the bus when it tells any', async () => {
    const tells = await does(definition, 'tells events');

    expect(tells && !definition.tellsEvents).toBe(false);
  });

  it('may wake hosts when it queues a look', async () => {
    const wakes = await does(definition, 'queues a look');

    expect(wakes && !definition.wakesHosts).toBe(false);
  });

  it('may start executions when it does', async () => {
    const starts = await does(definition, 'starts executions');

    expect(starts && !definition.startsRunsOf).toBe(false);
  });
});
