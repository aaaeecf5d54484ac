import { existsSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { runCli } from '../../cli/run.ts';
import type { OutputStream } from '../../cli/runtime/deps.ts';
import { processDeps } from '../../cli/runtime/process-deps.ts';
import { runObjectName } from '../../domain/names.ts';
import { type Rig, startRig, until } from './rig.ts';

/** Leftovers in the pools of real agents, listed and removed by the command that an administrator has. */

const PROCESS = processDeps();
const NOBODYS_RUN = '99999999-9999-4999-8999-999999999999';

/** The command in this process, against the service in its own. */
const volmove = async (
  rig: Pick<Rig, 'url'>,
  ...args: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> => {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written): OutputStream => ({
    write: (text) => {
      written[name] += text;
    },
    isTty: false,
    columns: () => 100,
    rows: () => 30,
  });
  const exitCode = await runCli(args, {
    ...PROCESS,
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    env: { VOLMOVE_ENDPOINT: rig.url },
    ask: undefined,
  });
  return { exitCode, ...written };
};

const objectAt = (path: string): string => path.slice(path.lastIndexOf('/') + 1, -'.img'.length);

describe('leftovers', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  it('that were planted in a pool are listed and removed by name; the file of a live volume is refused', async () => {
    rig = await startRig();
    const id = await rig.create('alpha');
    const before = await rig.content(id);
    const live = objectAt(await rig.path(id));
    const orphan = runObjectName(id, NOBODYS_RUN, 1);
    const file = join(rig.pool('beta'), `${orphan}.img`);
    await writeFile(file, 'left over');
    await writeFile(join(rig.pool('beta'), 'somebody-else.img'), 'not ours');

    const listed = await volmove(rig, 'cleanup', '--json');
    const refused = await volmove(rig, 'cleanup', '--remove', live, '--yes');
    const all = await volmove(rig, 'cleanup', '--remove-all', '--yes');
    const stillThere = existsSync(file);
    const removed = await volmove(rig, 'cleanup', '--remove', orphan, '--yes');
    const { url } = rig;
    const after = await until('nothing is left', async () => {
      const now = await volmove({ url }, 'cleanup');
      return now.exitCode === EXIT.done && now;
    });

    expect(listed.exitCode).toBe(EXIT.leftovers);
    const { leftovers } = JSON.parse(listed.stdout) as { leftovers: object[] };
    expect(leftovers).toMatchObject([{ object: orphan, host: 'beta@files#main', size_bytes: 9, state: 'unknown' }]);
    expect(leftovers).toHaveLength(1);
    expect(refused.exitCode).toBe(EXIT.blocked);
    expect(refused.stdout).toContain(`volume ${id} lives on it`);
    // it is younger than an hour: only its name removes it
    expect([all.exitCode, stillThere]).toEqual([EXIT.leftovers, true]);
    expect(removed.exitCode).toBe(EXIT.done);
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(rig.pool('beta'), 'somebody-else.img'))).toBe(true);
    expect(after).toMatchObject({ exitCode: EXIT.done, stdout: '' });
    expect(await rig.content(id)).toBe(before);
  }, 180_000);

  it('that are busy never undo a success: they need a person, who frees them, and then they go', async () => {
    rig = await startRig();
    const { call, migration } = rig;
    const id = await rig.create('alpha');
    const path = await rig.path(id);
    const holder = await open(path, 'r');
    const told = async (): Promise<string[]> =>
      (
        await call<{ events: { detail: { event_type: string; result: string } }[] }>(
          'GET',
          `/migrations/${moved}/events`,
        )
      ).body.events
        .filter(({ detail }) => detail.event_type === 'volume.migrate.cleanup')
        .map(({ detail }) => detail.result);

    const moved = await rig.migrate(id, 'beta');
    const stuck = await until('the leftover needs a person', async () => {
      const now = await migration(moved);
      return now.cleanup.state === 'needs_you' && now;
    });
    const watched = await volmove(rig, 'watch', moved);
    const listed = await volmove(rig, 'cleanup');
    await holder.close();
    const removed = await volmove(rig, 'cleanup', '--remove-all', '--yes');
    await rig.ended(moved);

    expect(stuck.state).toBe('succeeded');
    expect(watched.exitCode).toBe(EXIT.needsYou);
    expect(listed.exitCode).toBe(EXIT.leftovers);
    expect(listed.stdout).toMatch(new RegExp(`${objectAt(path)} .* needs you .* has it open`));
    expect(removed).toMatchObject({ exitCode: EXIT.done, stdout: expect.stringContaining('removed') });
    expect(existsSync(path)).toBe(false);
    expect(await told()).toEqual(['needs_you', 'done']);
    expect(await rig.volume(id)).toMatchObject({ status: 'available', 'os-vol-host-attr:host': 'beta@files#main' });
  }, 180_000);
});
