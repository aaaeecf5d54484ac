import { describe, expect, it } from 'vitest';
import { YOUNG_MS } from '../../domain/leftover.ts';
import { START_MS } from '../helpers/clock.ts';
import { anObject, aRetained, SOURCE_OBJECT, VOLUME_ID } from '../helpers/factories.ts';
import { inPool, withAgents } from './cleanup-agents.ts';
import { A, B, names, remove, scan } from './cleanup-scene.ts';
import { createWorld, MEMBER, type World, withHosts, withVolume } from './world.ts';

const world = async (change: Parameters<typeof withVolume>[1] = {}): Promise<World> => {
  const made = createWorld();
  await withHosts(made);
  await withVolume(made, change);
  return made;
};
const unmanage = (made: World, argument: object | null = null, asked = {}) =>
  made.act(VOLUME_ID, { 'os-unmanage': argument }, asked);

describe('os-unmanage', () => {
  it.each([null, {}])('forgets the volume and removes nothing, sent with %j', async (argument) => {
    const made = await world({ location: anObject('disk1') });
    const agents = withAgents(made);

    const answer = await unmanage(made, argument);

    expect(answer).toMatchObject({ status: 202, body: undefined });
    expect(await made.store.volumes.get(VOLUME_ID)).toBeUndefined();
    expect([agents.removed, made.looks, made.started]).toEqual([[], [], []]);
    expect((await unmanage(made)).status).toBe(404);
  });

  it('is refused with the reason while something else of the volume is kept', async () => {
    const made = await world({ retained: [aRetained({ expiresAtMs: Number.MAX_SAFE_INTEGER })] });

    const answer = await unmanage(made);

    expect(answer.status).toBe(400);
    expect(answer.body.badRequest.message).toContain(`${SOURCE_OBJECT.objectName} of migration`);
    expect(await made.store.volumes.get(VOLUME_ID)).toBeDefined();
  });

  it('is for administrators alone', async () => {
    const made = await world();

    const answer = await unmanage(made, null, { token: MEMBER });

    expect(answer.status).toBe(403);
    expect(answer.body.forbidden.message).toBe(
      "Policy doesn't allow volume_extension:volume_unmanage to be performed.",
    );
  });

  it('of what volmove has made leaves no leftover behind: no cleanup lists it, none removes it', async () => {
    const made = await world();
    const found = inPool(SOURCE_OBJECT.objectName, { madeAtMs: START_MS - 2 * YOUNG_MS });
    const agents = withAgents(made, { [A]: [found] });

    await unmanage(made);
    const listed = names(await scan(made));
    const removed = await remove(made, [{ object: SOURCE_OBJECT.objectName, host: A }], { unknown: true });

    expect(listed).toEqual([]);
    expect(removed).toMatchObject([{ state: 'refused', reason: expect.stringContaining('was unmanaged') }]);
    expect(agents.removed).toEqual([]);
  });

  it('says nothing while its volume is still there: the request did not come to its end', async () => {
    const made = await world({ location: anObject('disk1') });
    const found = inPool(SOURCE_OBJECT.objectName, { madeAtMs: START_MS - 2 * YOUNG_MS });
    withAgents(made, { [A]: [found] });
    const { objectName } = SOURCE_OBJECT;
    const note = { poolId: 'pool-a', objectName, volumeId: VOLUME_ID, released: true, atMs: START_MS } as const;
    await made.store.adoptions.create(note);

    expect(names(await scan(made))).toEqual([objectName]);
    await made.store.volumes.remove([VOLUME_ID], () => true);
    expect(names(await scan(made))).toEqual([]);
  });

  it('says so of that pool’s object alone', async () => {
    const made = await world();
    withAgents(made, { [B]: [inPool(SOURCE_OBJECT.objectName)] });

    await unmanage(made);

    expect(names(await scan(made))).toEqual([SOURCE_OBJECT.objectName]);
  });
});
