import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { inMidCopy } from './mid-copy.ts';
import { type Rig, startRig } from './rig.ts';

const SLOW = 4 * 1024 * 1024;

/** Where it listens since it was started last. */
const portOf = async (rig: Rig, host: string): Promise<number> =>
  Number([...(await rig.log(host)).matchAll(/exports on [^ ,]*:(\d+)/g)].at(-1)?.[1]);

/** Takes the port for the rest of the test, and greets whoever comes as something else. */
const take = async (port: number): Promise<void> => {
  const stranger = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('220 ready, but not for this\r\n');
  });
  stranger.listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  onTestFinished(() => void stranger.close());
};

describe('a destination whose data port was taken by somebody else while it was away', () => {
  let rig: Rig | undefined;
  afterEach(() => rig?.stop());

  it('listens on another, its writer is told, and the migration carries on to its proven end', async () => {
    rig = await startRig(['alpha', 'beta'], { data_address: '127.0.0.1:0' });
    const { id, migration, before } = await inMidCopy(rig, SLOW);

    await rig.kill('beta');
    const taken = await portOf(rig, 'beta');
    await take(taken);
    await rig.start('beta');
    const ended = await rig.ended(migration);

    expect(await portOf(rig, 'beta')).toBeGreaterThan(0);
    expect(await portOf(rig, 'beta')).not.toBe(taken);
    expect(ended).toMatchObject({ state: 'succeeded' });
    expect(await rig.content(id)).toBe(before);
    expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
  }, 120_000);
});
