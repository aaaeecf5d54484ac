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

describe.each(functions)('$name', (definition) => {
  it('may answer tasks when it ends jobs or tells their results', async () => {
    const ends = /tellResult\(|cancelJob\(/.test(await codeOf(definition));

    expect(ends && !definition.answersTasksOf).toBe(false);
  });

  it('may put events on the bus when it tells any', async () => {
    const tells = (await codeOf(definition)).includes('notifier.notify(');

    expect(tells && !definition.tellsEvents).toBe(false);
  });

  it('may wake hosts when it queues a look', async () => {
    const wakes = (await codeOf(definition)).includes('queues.look(');

    expect(wakes && !definition.wakesHosts).toBe(false);
  });

  it('may start executions when it does', async () => {
    const starts = (await codeOf(definition)).includes('executions.start(');

    expect(starts && !definition.startsRunsOf).toBe(false);
  });
});
