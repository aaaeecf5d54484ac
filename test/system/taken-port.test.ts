import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { type Rig, startRig } from './rig.ts';

const SLOW = 4 * 1024 * 1024;

const portOf = async (rig: Rig, host: string): Promise<number> =>
  Number(/exports on [^ ,]*:(\d+)/.exec(await rig.log(host))?.[1]);

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
    const id = await rig.create('alpha');
    await rig.fill(id, 48);
    const before = await rig.content(id);
    const migration = await rig.migrate(id, 'beta', { lock: true, bandwidth_bytes_per_second: SLOW });
    await rig.inPhase(migration, 'copying');

    await rig.kill('beta');
    await take(await portOf(rig, 'beta'));
    await rig.start('beta');
    const ended = await rig.ended(migration);

    expect(ended).toMatchObject({ state: 'succeeded' });
    expect(await rig.content(id)).toBe(before);
    expect((await rig.objects()).filter((name) => name.includes(id))).toHaveLength(1);
  }, 120_000);
});
