import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Manageable } from '../../cli/api/manageable.ts';
import { EXIT } from '../../cli/exit-codes.ts';
import { aVolume, MIB, volumeId } from './builders.ts';
import type { Asked } from './fake-service.ts';
import { createWorld, type World } from './world.ts';

const PLACE = 'store-a@files#p1';

const aManageable = (name: string, change: Partial<Manageable> = {}): Manageable => ({
  reference: { 'source-name': name },
  size: 1,
  safe_to_manage: true,
  reason_not_safe: null,
  cinder_id: null,
  extra_info: `bytes=${5 * MIB}, source-id=inode-7`,
  ...change,
});
const TAKEN = aManageable('disk2', {
  safe_to_manage: false,
  reason_not_safe: `already managed: volume ${volumeId(1)} lives on it`,
  cinder_id: volumeId(1),
});

describe('volmove volumes', () => {
  let world: World;
  let found: Manageable[];
  let why: string | undefined;
  let refusal: { status: number; body: object; headers: Record<string, string> } | undefined;

  const answer = ({ method, path, query }: Asked) => {
    if (path.endsWith('/messages')) {
      return { status: 200, body: { messages: why === undefined ? [] : [{ user_message: why }] } };
    }
    if (!path.includes('/manageable_volumes')) return undefined;
    if (refusal) return refusal;
    if (method === 'POST') return { status: 202, body: { volume: world.service.volumes.at(-1) } };
    const from = Number(query.offset);
    return { status: 200, body: { 'manageable-volumes': found.slice(from, from + Number(query.limit)) } };
  };

  beforeEach(async () => {
    world = await createWorld();
    world.service.volumes.push(aVolume());
    [found, why, refusal] = [[], undefined, undefined];
    world.service.intercept = answer;
  });
  afterEach(() => world.close());

  it('lists what others have made, each with its exact size and why it cannot be taken over', async () => {
    found = [aManageable('disk1'), TAKEN, aManageable('disk3', { extra_info: null })];

    const result = await world.run(['volumes', 'manageable', PLACE]);

    const lines = result.stdout.split('\n');
    expect(result.exitCode).toBe(EXIT.done);
    expect(lines[0]).toMatch(/^NAME +SIZE +FIT +WHY NOT$/);
    expect(lines[1]).toMatch(/^disk1 +5\.0 MiB +yes$/);
    expect(lines[2]).toMatch(/^disk2 +5\.0 MiB +no +already managed: volume .* lives on it$/);
    expect(lines[3]).toMatch(/^disk3 +1 GiB +yes$/);
    expect(result.stderr).toContain(`volmove volumes manage ${PLACE} NAME`);
    expect(world.service.asked[0]?.headers['openstack-api-version']).toBe('volume 3.8');
    expect(world.service.asked[0]?.query).toMatchObject({ host: PLACE, sort: 'reference:asc' });
  });

  it('lists all of a large pool, and all of it as one JSON document', async () => {
    found = Array.from({ length: 1500 }, (_, n) => aManageable(`disk${n}`));

    const { stdout } = await world.run(['volumes', 'manageable', PLACE, '--json']);

    expect(JSON.parse(stdout)).toEqual({ 'manageable-volumes': found });
  });

  it('says that there is nothing', async () => {
    const result = await world.run(['volumes', 'manageable', PLACE]);

    expect(result).toMatchObject({ exitCode: EXIT.done, stdout: '' });
    expect(result.stderr).toContain(`Others have made nothing in ${PLACE}`);
  });

  it('takes one over, waits for it, and prints nothing but the volume’s id', async () => {
    world.service.volumes[0] = aVolume({ status: 'creating', size: 0 });
    world.onSleep = () => {
      world.service.volumes[0] = aVolume();
    };

    const args = ['volumes', 'manage', PLACE, 'disk1', '--name', 'data1', '--description', 'old', '--wait'];
    const result = await world.run(args);

    expect(result).toMatchObject({ exitCode: EXIT.done, stdout: `${volumeId(1)}\n` });
    expect(result.stderr).toContain(`data1 is ready at ${PLACE}.`);
    expect(world.posted()?.body).toEqual({
      volume: { host: PLACE, ref: { 'source-name': 'disk1' }, name: 'data1', description: 'old' },
    });
  });

  it('takes one over by the backend’s id without waiting', async () => {
    world.service.volumes[0] = aVolume({ status: 'creating' });

    const result = await world.run(['volumes', 'manage', PLACE, 'inode-7', '--by-id']);

    expect(result).toMatchObject({ exitCode: EXIT.done, stdout: `${volumeId(1)}\n` });
    expect(result.stderr).toContain(`is being taken over. See it: volmove show ${volumeId(1)}`);
    expect(world.posted()?.body).toEqual({ volume: { host: PLACE, ref: { 'source-id': 'inode-7' } } });
  });

  it.each([
    ['The object disk1 is not there. Look at the backend.', 'The object disk1 is not there.'],
    [undefined, 'does not say why'],
  ])('says why it was not taken over: %s', async (told, expected) => {
    why = told;
    world.service.volumes[0] = aVolume({ status: 'error' });

    const result = await world.run(['volumes', 'manage', PLACE, 'disk1', '--wait']);

    expect(result.exitCode).toBe(EXIT.failed);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(expected);
    expect(result.stderr).toContain(`volmove volumes unmanage ${volumeId(1)}`);
  });

  it('ends as blocked, with what to do, when it is refused', async () => {
    const message = 'Unable to manage existing volume. Volume disk1 already managed.';
    const headers = { 'x-volmove-error-code': 'AlreadyManaged' };
    refusal = { status: 400, body: { badRequest: { code: 400, message } }, headers };

    const result = await world.run(['volumes', 'manage', PLACE, 'disk1']);

    expect(result.exitCode).toBe(EXIT.blocked);
    expect(result.stderr).toContain('volmove volumes manageable');
  });

  it('forgets a volume and says where its data is', async () => {
    const result = await world.run(['volumes', 'unmanage', 'data1']);

    expect(result).toMatchObject({ exitCode: EXIT.done, stdout: '' });
    expect(result.stderr).toBe(`data1 is forgotten; its data stays at ${PLACE}.\n`);
    expect(world.posted()?.body).toEqual({ 'os-unmanage': null });
  });

  it.each([
    [['volumes', 'manage', PLACE], 'NAME'],
    [['volumes', 'manageable'], 'HOST@BACKEND#POOL'],
    [['volumes', 'unmanage'], 'VOLUME'],
  ])('refuses %j before it asks anything', async (args, hint) => {
    const result = await world.run(args);

    expect(result.exitCode).toBe(EXIT.usage);
    expect(result.stderr).toContain(hint);
    expect(world.service.asked).toEqual([]);
  });

  it.each(['manageable', 'manage', 'unmanage'])('begins the help of %s with an example', async (command) => {
    const { stdout } = await world.run(['volumes', command, '--help']);

    expect(stdout.startsWith(`Examples:\n  $ volmove volumes ${command} `)).toBe(true);
  });

  it('shows why a volume is in error', async () => {
    why = 'The object disk1 is not there.';
    world.service.volumes[0] = aVolume({ status: 'error' });

    expect((await world.run(['show', 'data1'])).stdout).toMatch(/^Why +The object disk1 is not there\.$/m);
  });
});
