import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aVolume, VOLUME_ID } from '../helpers/factories.ts';
import { createWorld, volumeNow, type World, withHosts, withVolume } from './world.ts';

const ready = async (): Promise<World> => {
  const world = createWorld();
  await withHosts(world);
  await withVolume(world);
  return world;
};

const untouched = async (world: World): Promise<void> => {
  expect(world.reported).toEqual([]);
  expect(world.started).toEqual([]);
  expect(await world.store.volumes.all()).toHaveLength(1);
  expect(await world.store.migrations.all()).toEqual([]);
  expect(await volumeNow(world, aVolume())).toEqual(aVolume());
};

const TARGETS = ['/v3/volumes', `/v3/volumes/${VOLUME_ID}/action`, '/v3/migrations'];

describe('a body', () => {
  it.each(
    TARGETS.flatMap((url) =>
      [
        ['nothing', ''],
        ['no JSON', '{"volume":'],
        ['a list', '[]'],
        ['a text', '"volume"'],
        ['null', 'null'],
      ].map(([what = '', raw = '']) => [what, url, raw] as const),
    ),
  )('of %s is refused at %s', async (_, url, raw) => {
    const world = await ready();

    const answer = await world.ask('POST', url, raw === '' ? {} : { raw });

    expect(answer.status).toBe(400);
    expect(answer.body.badRequest.message).toMatch(/^Malformed request body: /);
    await untouched(world);
  });

  it('that is not UTF-8 is refused', async () => {
    const world = await ready();

    const answer = await world.ask('POST', '/v3/volumes', { bytes: Buffer.from([0x7b, 0xff, 0x7d]) });

    expect(answer.body.badRequest.message).toBe('Malformed request body: it is not UTF-8 text');
    await untouched(world);
  });

  it.each([false, true])('that is too large is refused unread (base64: %s)', async (base64) => {
    const world = await ready();

    const answer = await world.ask('POST', '/v3/volumes', {
      raw: `{"volume":{"size":1,"x":"${'x'.repeat(20_000)}"}}`,
      base64,
    });

    expect(answer.status).toBe(413);
    expect(answer.body.overLimit).toEqual({ code: 413, message: 'The request body is larger than 20000 bytes.' });
    await untouched(world);
  });

  it('that came as base64 is read like any other', async () => {
    const world = await ready();

    const answer = await world.ask('POST', '/v3/volumes', { body: { volume: { size: 1 } }, base64: true });

    expect(answer.status).toBe(202);
  });

  it('that nests without end is refused', async () => {
    const world = await ready();
    const deep = '['.repeat(9_000) + ']'.repeat(9_000);

    const answers = await Promise.all([
      world.ask('POST', '/v3/volumes', { raw: `{"volume":${deep}}` }),
      world.ask('POST', `/v3/volumes/${VOLUME_ID}/action`, { raw: `{"os-migrate_volume":{"host":${deep}}}` }),
    ]);

    expect(answers.map((answer) => answer.status)).toEqual([400, 400]);
    await untouched(world);
  });
});

describe('whatever is sent', () => {
  const keys = fc.constantFrom(
    'volume',
    'migration',
    'size',
    'name',
    'metadata',
    'host',
    'volume_id',
    'destination',
    'os-migrate_volume',
    'os-attach',
    'os-reset_status',
    'status',
    '__proto__',
    'constructor',
    'OS-SCH-HNT:scheduler_hints',
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.constantFrom<unknown>(null, true, -1, 0.5, 1e308, '', '\u0000', '\ud800', 'x'.repeat(300), '../..', '#'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
    ),
  }));

  it('is refused by name, never with an error of the server, and changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TARGETS), fc.dictionary(keys, tree, { maxKeys: 3 }), async (url, body) => {
        const world = await ready();

        const answer = await world.ask('POST', url, { body });

        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        await untouched(world);
      }),
      { numRuns: 300 },
    );
  });

  it('as a path or query is refused by name', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.string({ maxLength: 40 }),
        async (path, query) => {
          const world = await ready();

          const answer = await world.ask('GET', `/v3/volumes/${path}?${query}`);

          expect(answer.status).toBeLessThan(500);
          await untouched(world);
        },
      ),
      { numRuns: 300 },
    );
  });
});
