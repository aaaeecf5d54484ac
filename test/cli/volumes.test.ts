import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { aVolume, volumeId } from './builders.ts';
import type { Asked } from './fake-service.ts';
import { createWorld, type World } from './world.ts';

const actionOf = ({ body }: Asked): string => Object.keys((body ?? {}) as object)[0] ?? '';
const actions = (world: World): string[] =>
  world.service.asked.filter((asked) => asked.path.endsWith('/action')).map(actionOf);
const refuse = (action: string) => (asked: Asked) =>
  asked.path.endsWith('/action') && actionOf(asked) === action
    ? { status: 400, body: { badRequest: { code: 400, message: `${action} is refused` } } }
    : undefined;

describe('commands on volumes', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    world.service.volumes.push(aVolume());
  });
  afterEach(() => world.close());

  it('keeps what says something where a terminal has no room for every column', async () => {
    const at80 = { tty: true, columns: 80, env: { NO_COLOR: '1' } };
    const changes = { id: volumeId(2), name: 'data2', status: 'maintenance' } as const;
    world.service.volumes.push(aVolume({ ...changes, migration_status: 'migrating' }));

    const moving = await world.run(['volumes'], at80);
    world.service.volumes.pop();
    const resting = await world.run(['volumes'], { ...at80, columns: 60 });

    expect(moving.stdout).toContain('migrating');
    expect(moving.stdout).not.toContain('ATTACHED');
    expect(resting.stdout).not.toContain('MIGRATION');
  });

  it('lists volumes aligned, and as one JSON document', async () => {
    const text = await world.run(['volumes']);
    const json = await world.run(['volumes', '--json']);

    expect(text.stdout.split('\n')).toEqual([
      'VOLUME                                NAME    SIZE  STATUS     PLACE             MIGRATION  ATTACHED TO',
      `${volumeId(1)}  data1  8 GiB  available  store-a@files#p1  -          -`,
      '',
    ]);
    expect(JSON.parse(json.stdout)).toEqual({ volumes: [aVolume()] });
  });

  it('makes a volume in a pool, waits for it, and prints nothing but its id', async () => {
    world.service.volumes[0] = aVolume({ status: 'creating' });
    world.onSleep = () => {
      world.service.volumes[0] = aVolume();
    };

    const result = await world.run(['create', '8', '--name', 'data1', '--pool', 'store-a@files#p1', '--wait']);

    expect(result).toMatchObject({ exitCode: 0, stdout: `${volumeId(1)}\n` });
    expect(result.stderr).toContain('data1 is ready at store-a@files#p1');
    expect(world.service.asked[0]?.body).toEqual({
      volume: { size: 8, name: 'data1' },
      'OS-SCH-HNT:scheduler_hints': { volmove_pool: 'store-a@files#p1' },
    });
  });

  it('fails when the volume became one in error', async () => {
    world.service.volumes[0] = aVolume({ status: 'error' });

    const result = await world.run(['create', '8', '--wait']);

    expect(result.exitCode).toBe(7);
    expect(result.stderr).toContain(`volmove delete ${volumeId(1)}`);
    expect(result.stdout).toBe('');
  });

  it('gives up waiting at the time-out, and waits through a restart of the service', async () => {
    world.service.volumes[0] = aVolume({ status: 'creating' });
    let looks = 0;
    world.service.intercept = ({ method }) => {
      if (method === 'GET') looks += 1;
      return looks === 2 ? { status: 503 } : undefined;
    };

    const result = await world.run(['create', '8', '--wait', '--timeout', '3']);

    expect(result.exitCode).toBe(9);
    expect(looks).toBeGreaterThan(2);
    expect(result.stderr).toContain(`volmove show ${volumeId(1)}`);
  });

  it('deletes and waits until the volume is gone', async () => {
    world.onSleep = () => {
      world.service.volumes.length = 0;
    };

    const result = await world.run(['delete', 'data1', '--wait']);

    expect(result).toMatchObject({ exitCode: 0, stderr: 'data1 is deleted.\n' });
  });

  it('asks for a person when a volume cannot be deleted', async () => {
    world.onSleep = () => {
      world.service.volumes[0] = aVolume({ status: 'error_deleting' });
    };

    const result = await world.run(['delete', 'data1', '--wait']);

    expect(result.exitCode).toBe(8);
  });

  it('leaves a wait at Ctrl-C', async () => {
    world.onSleep = () => world.interrupt();

    const result = await world.run(['delete', 'data1', '--wait']);

    expect(result.exitCode).toBe(130);
    expect(result.stderr).toContain('the volume goes on being deleted');
  });

  it('attaches by reserve, connect and attach, and prints only the device path', async () => {
    const result = await world.run(['attach', 'data1']);

    expect(result).toMatchObject({ exitCode: 0, stdout: '/srv/p1/volume-1.img\n' });
    expect(actions(world)).toEqual(['os-reserve', 'os-initialize_connection', 'os-attach']);
    expect(world.service.asked.at(-1)?.body).toEqual({
      'os-attach': { mountpoint: '/srv/p1/volume-1.img', host_name: 'store-a', mode: 'rw' },
    });
  });

  it.each([
    ['os-reserve', ['os-reserve']],
    ['os-initialize_connection', ['os-reserve', 'os-initialize_connection', 'os-unreserve']],
    ['os-attach', ['os-reserve', 'os-initialize_connection', 'os-attach', 'os-terminate_connection', 'os-unreserve']],
  ])('undoes what it did when %s is refused', async (refused, expected) => {
    world.service.intercept = refuse(refused);

    const result = await world.run(['attach', 'data1', '--host', 'guest']);

    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain(`${refused} is refused`);
    expect(actions(world)).toEqual(expected);
  });

  it('tells both when undoing fails too', async () => {
    world.service.intercept = (asked) => refuse('os-attach')(asked) ?? refuse('os-unreserve')(asked);

    const result = await world.run(['attach', 'data1']);

    expect(result.exitCode).toBe(8);
    expect(result.stderr).toContain('os-attach is refused');
    expect(result.stderr).toContain('os-unreserve is refused');
  });

  it('says that attaching ends a migration', async () => {
    world.service.volumes[0] = aVolume({ migration_status: 'migrating' });

    const result = await world.run(['attach', 'data1']);

    expect(result.stderr).toContain('attaching it ends that migration');
  });

  it('does not say so of a locked one, which refuses the attach', async () => {
    world.service.volumes[0] = aVolume({ migration_status: 'migrating', status: 'maintenance' });
    world.service.intercept = refuse('os-reserve');

    const result = await world.run(['attach', 'data1']);

    expect(result.exitCode).toBe(3);
    expect(result.stderr).toContain('os-reserve is refused');
    expect(result.stderr).not.toContain('attaching it ends that migration');
  });

  it('detaches the host that has it', async () => {
    const attachment = { id: volumeId(1), attachment_id: 'att-1', host_name: 'guest' };
    world.service.volumes[0] = aVolume({ status: 'in-use', attachments: [attachment] });

    const result = await world.run(['detach', 'data1']);

    expect(result.exitCode).toBe(0);
    expect(actions(world)).toEqual(['os-begin_detaching', 'os-terminate_connection', 'os-detach']);
    expect(world.service.asked.at(-2)?.body).toEqual({ 'os-terminate_connection': { connector: { host: 'guest' } } });
    expect(world.service.asked.at(-1)?.body).toEqual({ 'os-detach': { attachment_id: 'att-1' } });
  });

  it('is in use again when the connection cannot be ended', async () => {
    world.service.intercept = refuse('os-terminate_connection');

    const result = await world.run(['detach', 'data1']);

    expect(result.exitCode).toBe(3);
    expect(actions(world)).toEqual(['os-begin_detaching', 'os-terminate_connection', 'os-roll_detaching']);
  });
});
