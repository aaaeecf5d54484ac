import { describe, expect, it } from 'vitest';
import { volmoveError } from '../../domain/error.ts';
import { VOLUME_ID } from '../helpers/factories.ts';
import { createWorld, READER, STRANGER, withVolume } from './world.ts';

const lastError = volmoveError('ObjectMissing', { object: 'disk1', place: 'host-a@files#ssd' }).toFailure();
const OTHER = '88888888-8888-4888-8888-888888888888';
const VERSION = { version: '3.70' };

const world = async () => {
  const made = createWorld();
  await withVolume(made, { status: 'error_managing', location: null, lastError });
  await withVolume(made, { id: OTHER });
  return made;
};

describe('messages', () => {
  it('say why a volume is in error, and what to do', async () => {
    const { ask } = await world();

    const { body } = await ask('GET', '/v3/project/messages', VERSION);
    const shown = await ask('GET', `/v3/messages/${VOLUME_ID}`, VERSION);

    expect(body.messages).toEqual([
      {
        id: VOLUME_ID,
        request_id: '',
        message_level: 'ERROR',
        event_id: 'VOLUME_VOLUME_ObjectMissing',
        user_message: `${lastError.message} ${lastError.remedy}`,
        resource_type: 'VOLUME',
        resource_uuid: VOLUME_ID,
        created_at: '2026-01-01T00:00:00.000000',
        guaranteed_until: null,
        links: [
          { rel: 'self', href: `http://volmove.test:8776/v3/project/messages/${VOLUME_ID}` },
          { rel: 'bookmark', href: `http://volmove.test:8776/project/messages/${VOLUME_ID}` },
        ],
      },
    ]);
    expect(shown.body.message).toMatchObject({ id: VOLUME_ID, event_id: 'VOLUME_VOLUME_ObjectMissing' });
  });

  it('name no host and no pool to those who are no administrators', async () => {
    const { ask } = await world();

    const { body } = await ask('GET', '/v3/project/messages', { ...VERSION, token: READER });

    expect(body.messages).toMatchObject([
      { event_id: 'VOLUME_VOLUME_ObjectMissing', user_message: expect.stringContaining('error_managing') },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/host-a|files|disk1/);
  });

  it.each([
    [`?resource_uuid=${VOLUME_ID}`, 1],
    [`?resource_uuid=${OTHER}`, 0],
    ['?limit=0', 0],
    [`?marker=${VOLUME_ID}`, 0],
  ])('can be asked for as %s', async (query, count) => {
    const { ask } = await world();

    expect((await ask('GET', `/v3/messages${query}`, VERSION)).body.messages).toHaveLength(count);
  });

  it('are silent to other projects, about volumes that are well, and below their microversion', async () => {
    const { ask } = await world();

    expect((await ask('GET', '/v3/messages', { ...VERSION, token: STRANGER })).body.messages).toEqual([]);
    expect((await ask('GET', `/v3/messages/${VOLUME_ID}`, { ...VERSION, token: STRANGER })).status).toBe(404);
    expect((await ask('GET', `/v3/messages/${OTHER}`, VERSION)).status).toBe(404);
    expect((await ask('GET', '/v3/messages', { version: '3.2' })).status).toBe(404);
  });
});
