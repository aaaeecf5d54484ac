import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../../domain/error.ts';
import type { RunTool } from '../../../host-agent/tools/run-tool.ts';
import { tempDir } from '../../data-path/helpers/temp-dir.ts';
import { thrownBy } from '../../data-path/helpers/thrown.ts';
import { refusalOf } from '../../helpers/refusal.ts';
import { PATH } from './driver.ts';
import { lvs } from './group.ts';
import { create, MIB, NAME, NEVER, object, thickRig, thinRig } from './rig.ts';

describe('an answer that was lost', () => {
  const losing =
    (program: string, perform: boolean, times = 1) =>
    (runTool: RunTool): RunTool => {
      let left = times;
      return async (tool, signal) => {
        if (tool.program !== program || left === 0) return runTool(tool, signal);
        left -= 1;
        if (perform) await runTool(tool, signal);
        throw volmoveError('BackendTimedOut', { program, seconds: 60 });
      };
    };

  it('of a create that has happened: the volume is found by its name and tag, and not called zero', async () => {
    const { vg, driver } = await thinRig({}, { wrap: losing('lvcreate', true) });

    const made = await create(driver, 8);

    expect(made.zero).toBe(false);
    expect(await lvs(`${vg}/${NAME}`, 'lv_uuid', 'lv_tags')).toEqual([[made.objectId, 'volmove']]);
  });

  it('of a create that has not happened: it is said, nothing is left, and the next try makes it', async () => {
    const { vg, driver } = await thinRig({}, { wrap: losing('lvcreate', false) });

    const error = await refusalOf(create(driver, 8));
    const left = (await lvs(vg, 'lv_name')).flat();
    const made = await create(driver, 8);

    expect(error.code).toBe('BackendTimedOut');
    expect(left).toEqual(['pool']);
    expect(made.zero).toBe(true);
  });

  it.each([
    { when: 'after', performed: true },
    { when: 'before', performed: false },
  ])('of a removal, $when it: the volume is gone in the end', async ({ performed }) => {
    const { driver } = await thickRig({ wrap: losing('lvremove', performed) });
    const { objectId } = await create(driver, 8);

    expect(await driver.remove({ ...object(), objectId }, NEVER)).toBe(true);
    expect(await driver.find(object(), NEVER)).toBeUndefined();
  });

  it('of an extension that has happened', async () => {
    const { driver } = await thickRig({ wrap: losing('lvextend', true) });
    await create(driver, 8);

    expect((await driver.extend({ ...object(), sizeBytes: 16 * MIB }, NEVER)).sizeBytes).toBe(16 * MIB);
  });

  it('of a command that hangs: it is ended at its time, and said', async () => {
    const directory = await tempDir();
    await writeFile(join(directory, 'vgs'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
    const { again } = await thickRig();

    const error = await refusalOf(
      (await again({ path: `${directory}:${PATH}`, timeoutSeconds: 1 })).find(object(), NEVER),
    );

    expect(error.code).toBe('BackendTimedOut');
    expect(error.message).toContain('vgs did not answer within 1 s');
  });
});

describe('a create that outlives the agent which asked for it', () => {
  it('is waited for by a removal, which says so', async () => {
    const { driver } = await thickRig();
    // known by how it was called
    const command = spawn('bash', ['-c', `exec -a lvcreate sh -c 'echo there; sleep 1000; :' ${NAME}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(command.stdout, 'data');

    const error = await thrownBy(driver.remove({ ...object(), objectId: null }, NEVER));
    command.kill('SIGKILL');
    await once(command, 'exit');

    expect(error.name).toBe('BackendOffline');
    // what it has just started still looks like it
    expect(error.message).toMatch(new RegExp(`process ${command.pid}[ ,\\d]* may still make`));
    expect(await driver.remove({ ...object(), objectId: null }, NEVER)).toBe(false);
  });
});
