import { describe, expect, it } from 'vitest';
import { expectTold } from './events.ts';
import { eventually } from './eventually.ts';
import type { Stage } from './stage.ts';

/** What somebody has made in a pool with the pool's own tools, taken over, moved, and given up again, by the public API alone. */

export interface Outside {
  readonly stage: () => Stage;
  readonly at: string;
  /** Another pool, that it is moved to. */
  readonly to: string;
  /** Makes something that could be a volume; no whole number of GiB. */
  readonly make: (name: string) => Promise<void>;
  readonly sizeBytes: number;
  readonly unfit: Readonly<Record<string, Unfit>>;
}

/** What cannot be taken over. */
export interface Unfit {
  /** Makes it, and undoes what makes it unfit. */
  readonly spoil: (name: string) => Promise<() => Promise<void>>;
  readonly why: RegExp;
}

interface Listed {
  readonly reference: { readonly 'source-name': string };
  readonly size: number;
  readonly safe_to_manage: boolean;
  readonly reason_not_safe: string | null;
  readonly cinder_id: string | null;
  readonly extra_info: string;
}

const VERSION = { 'OpenStack-API-Version': 'volume 3.70' };
const GIB = 1024 ** 3;

const callsOf = ({ rig }: Stage, at: string) => {
  const get = <T>(path: string, query: Record<string, string>) =>
    rig.call<T>('GET', `${path}?${new URLSearchParams(query).toString()}`, undefined, 'admin:demo', VERSION);
  const listed = async (name: string): Promise<Listed | undefined> => {
    const { body } = await get<{ 'manageable-volumes': Listed[] }>('/manageable_volumes/detail', { host: at });
    return body['manageable-volumes'].find(({ reference }) => reference['source-name'] === name);
  };
  const manage = (name: string) => {
    const volume = { host: at, ref: { 'source-name': name }, name: `of ${name}` };
    return rig.call<{ volume: { id: string } }>('POST', '/manageable_volumes', { volume }, 'admin:demo', VERSION);
  };
  const told = async (volume: string): Promise<string> => {
    const { body } = await get<{ messages: { user_message: string }[] }>('/messages', { resource_uuid: volume });
    return body.messages.map((message) => message.user_message).join('\n');
  };
  return { listed, manage, told };
};

const movedAndGivenUp = async ({ stage, at, to, make, sizeBytes }: Outside): Promise<void> => {
  const { rig, events, poolAt, contentAt, objectsAt, isAvailable, migrate, ended } = stage();
  const { listed, manage } = callsOf(stage(), at);
  await make('disk7');
  await poolAt(at).fill('disk7');
  const before = await poolAt(at).content('disk7');

  expect(await listed('disk7')).toMatchObject({
    size: Math.ceil(sizeBytes / GIB),
    safe_to_manage: true,
    reason_not_safe: null,
    cinder_id: null,
    extra_info: expect.stringContaining(`bytes=${sizeBytes}`) as string,
  });
  const taken = await manage('disk7');
  expect(taken.status, JSON.stringify(taken.body)).toBe(202);
  const { id } = taken.body.volume;
  expect(await isAvailable(id)).toBe(true);
  expect(await listed('disk7')).toMatchObject({ safe_to_manage: false, cinder_id: id });

  const moved = await ended(await migrate(id, to, { force_host_copy: true }));
  expect(moved).toMatchObject({ state: 'succeeded', reason: null });
  expect(await contentAt(to, id)).toBe(before);
  expect(await poolAt(at).names()).not.toContain('disk7');
  await expectTold(events, moved, { volume: id, from: at, to, locked: false, phase: 'copying' });

  expect((await rig.action(id, { 'os-unmanage': null })).status).toBe(202);
  expect((await rig.call('GET', `/volumes/${id}`)).status).toBe(404);
  expect(await objectsAt(to, id)).toHaveLength(1);
  expect(await contentAt(to, id)).toBe(before);
};

const leftWhereItIs = async ({ stage, at, make }: Outside): Promise<void> => {
  const { rig, poolAt, isAvailable } = stage();
  const { listed, manage } = callsOf(stage(), at);
  await make('disk8');
  await poolAt(at).fill('disk8');
  const before = await poolAt(at).content('disk8');

  const { body } = await manage('disk8');
  expect(await isAvailable(body.volume.id)).toBe(true);
  expect((await rig.action(body.volume.id, { 'os-unmanage': null })).status).toBe(202);

  expect(await poolAt(at).content('disk8')).toBe(before);
  expect(await listed('disk8')).toMatchObject({ safe_to_manage: true, cinder_id: null });
};

/** The volume is in error, which says why, nothing in the pool has changed, and what was in the way may go. */
const refused = async ({ stage, at }: Outside, name: string, why: RegExp): Promise<void> => {
  const { rig, isAvailable } = stage();
  const { manage, told } = callsOf(stage(), at);
  const { status, body } = await manage(name);
  expect(status, JSON.stringify(body)).toBe(202);
  const { id } = body.volume;
  expect(await isAvailable(id)).toBe(false);
  expect(await told(id)).toMatch(why);
  expect((await rig.action(id, { 'os-unmanage': null })).status).toBe(202);
};

export const describeManage = (outside: Outside): void => {
  const { stage, at } = outside;

  it('is listed, taken over, moved to another pool with its content, and stays there when it is given up', () =>
    movedAndGivenUp(outside));

  it('keeps its place and its name when it is given up', () => leftWhereItIs(outside));

  describe('is not taken over', () => {
    it.each(Object.entries(outside.unfit))(
      'when %s: the listing and the volume say why',
      async (what, { spoil, why }) => {
        const name = what.replaceAll(/\W+/g, '-');
        const undo = await spoil(name);
        try {
          const { listed } = callsOf(stage(), at);
          expect(await listed(name)).toMatchObject({
            safe_to_manage: false,
            reason_not_safe: expect.stringMatching(why) as string,
          });
          await refused(outside, name, why);
        } finally {
          await undo();
        }
        const { listed } = callsOf(stage(), at);
        await eventually(
          'it could be taken over now',
          () => listed(name),
          (now) => now?.safe_to_manage,
        );
      },
    );

    it('when there is nothing of that name', () => refused(outside, 'disk9', /The object disk9 is not in/));

    it('when it has a name that volmove gives', async () => {
      const name = 'volume-11111111-1111-4111-8111-111111111111-create-1';
      const { status, body } = await callsOf(stage(), at).manage(name);
      expect(status).toBe(400);
      expect(JSON.stringify(body)).toContain('it is volmove’s own');
    });
  });
};
