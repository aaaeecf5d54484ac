import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freshRunDir } from '../../host-agent/run-dir.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';

/** Longer than the address of a unix socket in it may be. */
const LONG = 'x'.repeat(100);

describe('the directory for the sockets of an agent', () => {
  it('lies in its data directory, and is empty at each start', async () => {
    const data = await tempDir();
    const first = await freshRunDir(data);
    await writeFile(join(first, 'left over'), '');

    const second = await freshRunDir(data);

    expect([first, second]).toEqual([join(data, 'run'), join(data, 'run')]);
    expect(await readdir(second)).toEqual([]);
    expect((await stat(second)).mode & 0o777).toBe(0o700);
  });

  it('is one and the same for a long data directory, so that none is left behind, and another one for each', async () => {
    const [data, temporary] = [await tempDir(), await tempDir()];
    const [one, other] = [join(data, `${LONG}1`), join(data, `${LONG}2`)];

    const first = await freshRunDir(one, temporary);
    await writeFile(join(first, 'left over'), '');
    const again = await freshRunDir(one, temporary);
    const second = await freshRunDir(other, temporary);

    expect(again).toBe(first);
    expect(second).not.toBe(first);
    expect(await readdir(again)).toEqual([]);
    expect(await readdir(temporary)).toHaveLength(2);
    expect(Buffer.byteLength(first)).toBeLessThan(107 - 40);
  });
});
