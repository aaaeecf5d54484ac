import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/**
 * docs/reliability.md promises nothing that no test holds. The last column of its tables names tests: `folder/file` below test/,
 * then each title in “quotes”. A test that is renamed or removed takes its promise with it, or fails here.
 */

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reliability.md', root), 'utf8');

interface Row {
  readonly guarantee: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const testsIn = (cell: string): Row['tests'] => {
  const found: { file: string; title: string }[] = [];
  let file = '';
  for (const [, path, title] of cell.matchAll(/`([^`]+)`|“([^”]+)”/g)) {
    if (path !== undefined) file = path;
    if (title !== undefined) found.push({ file, title });
  }
  return found;
};

const rows: readonly Row[] = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|[\s-]+\|/.test(line))
  .map((line) => line.split('|').slice(1, -1))
  .flatMap(([guarantee = '', tests]) =>
    tests === undefined || tests.trim() === 'held by' ? [] : [{ guarantee, tests: testsIn(tests) }],
  );

const sourceOf = (file: string): string | undefined => {
  const url = [`test/${file}.test.ts`, `test/${file}.ts`]
    .map((path) => new URL(path, root))
    .find((one) => existsSync(one));
  return url && readFileSync(url, 'utf8');
};

/** As a whole literal, where a title stands: behind the bracket of it, test, each, or of a table of theirs. */
const isTitle = (source: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) => new RegExp(`(?<!skip)\\(\\s*${quote}${escaped(title)}${quote},`).test(source));
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

describe('docs/reliability.md', () => {
  it('has a test for every guarantee', () => {
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.filter(({ tests }) => tests.length === 0).map(({ guarantee }) => guarantee)).toEqual([]);
  });

  it('names only tests that are there', () => {
    const missing = rows
      .flatMap(({ tests }) => tests)
      .filter(({ file, title }) => !isTitle(sourceOf(file) ?? '', title))
      .map(({ file, title }) => `${file}: ${title}`);

    expect(missing).toEqual([]);
  });

  it('would notice one that is gone, and one that is skipped', () => {
    const source = "it('stays', () => undefined); it.skip('sleeps', () => undefined); const text = 'a word';";

    expect([
      isTitle(source, 'stays'),
      isTitle(source, 'sleeps'),
      isTitle(source, 'a word'),
      isTitle(source, 'stay'),
    ]).toEqual([true, false, false, false]);
  });
});
