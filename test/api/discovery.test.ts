import { describe, expect, it } from 'vitest';
import { createWorld, withVolume } from './world.ts';

describe('version discovery', () => {
  it.each([
    ['/', 300],
    ['/v3', 200],
    ['/v3/', 200],
  ])('answers GET %s without a token, with %i', async (url, status) => {
    const { ask } = createWorld();

    const answer = await ask('GET', url, { token: null });

    expect(answer.status).toBe(status);
    expect(answer.body.versions).toEqual([
      expect.objectContaining({
        id: 'v3.0',
        status: 'CURRENT',
        version: '3.71',
        min_version: '3.0',
        links: [{ rel: 'self', href: 'http://volmove.test:8776/v3/' }],
      }),
    ]);
  });

  it('points back to https where the request came in by it', async () => {
    const { ask } = createWorld();

    const { body } = await ask('GET', '/v3', { headers: { 'x-forwarded-proto': 'https' } });

    expect(body.versions[0].links[0].href).toBe('https://volmove.test:8776/v3/');
  });

  it('does not repeat a host name that is none', async () => {
    const { ask } = createWorld();

    const { body } = await ask('GET', '/v3', { headers: { host: 'x"><script>' } });

    expect(body.versions[0].links[0].href).toBe('http://volmove.test/v3/');
  });

  it('is open to GET alone', async () => {
    const { ask } = createWorld();

    const answer = await ask('DELETE', '/', { token: null });

    expect(answer).toMatchObject({ status: 405, body: { badMethod: { code: 405 } } });
  });

  it('serves the OpenAPI document of every route', async () => {
    const { ask } = createWorld();

    const { status, body } = await ask('GET', '/v3/openapi.json', { token: null });

    expect(status).toBe(200);
    expect(body.openapi).toBe('3.1.0');
    expect(Object.keys(body.paths)).toContain('/migrations/{id}/progress');
    expect(body.paths['/volumes'].post.requestBody.content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/VolumeCreate',
    });
    expect(body.components.schemas.MigrationCreate.properties.migration.required).toEqual(['volume_id', 'destination']);
  });
});

describe('microversions', () => {
  it.each([
    [undefined, 'volume 3.0'],
    ['volume 3.70', 'volume 3.70'],
    ['compute 2.90, volume 3.7', 'volume 3.7'],
    ['volume latest', 'volume 3.71'],
    ['compute 2.90', 'volume 3.0'],
  ])('answer %s with %s', async (asked, said) => {
    const { ask } = createWorld();

    const { status, headers } = await ask(
      'GET',
      '/v3/volumes',
      asked === undefined ? {} : { headers: { 'openstack-api-version': asked } },
    );

    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'openstack-api-version': said,
      vary: 'OpenStack-API-Version',
      'x-openstack-request-id': 'req-r-1',
      'x-compute-request-id': 'req-r-1',
    });
  });

  it.each(['3.99', '2.1', '4.0'])('refuse %s with 406', async (version) => {
    const { ask } = createWorld();

    const answer = await ask('GET', '/v3/volumes', { version });

    expect(answer.status).toBe(406);
    expect(answer.body).toEqual({
      computeFault: {
        code: 406,
        message: `Version ${version} is not supported by the API. Minimum is 3.0 and maximum is 3.71.`,
      },
    });
  });

  it('refuse what is no version', async () => {
    const { ask } = createWorld();

    const answer = await ask('GET', '/v3/volumes', { version: 'new' });

    expect(answer.body.badRequest.message).toBe(
      'API Version String new is of invalid format. Must be of format MajorNum.MinorNum.',
    );
  });
});

describe('who asks', () => {
  const listed = async (url: string, token: string | null, headers: Record<string, string> = {}) => {
    const world = createWorld();
    await withVolume(world);
    return world.ask('GET', url, { token, headers });
  };

  it.each<[string, string, string | null, Record<string, string>]>([
    ['a token of user and project, with no project in the URL', '/v3/volumes', 'ann:project', {}],
    ['a token of user and project, with the same in the URL', '/v3/project/volumes', 'ann:project', {}],
    ['a bearer token', '/v3/volumes', null, { authorization: 'Bearer ann:project' }],
    ['a token that says nothing, with a project in the URL', '/v3/project/volumes', 'notused', {}],
    [
      'a token that says nothing, with a project in the header',
      '/v3/volumes',
      'notused',
      { 'x-project-id': 'project' },
    ],
    ['a reader', '/v3/volumes', 'bob:project:reader', {}],
  ])('is known by %s', async (_, url, token, headers) => {
    const answer = await listed(url, token, headers);

    expect(answer.status).toBe(200);
    expect(answer.body.volumes).toHaveLength(1);
  });

  it.each<[string, string, string | null, number]>([
    ['without a token', '/v3/volumes', null, 401],
    ['without a token, also where nothing is', '/v3/nothing', null, 401],
    ['with an unknown role', '/v3/volumes', 'ann:project:king', 401],
    ['with too many parts', '/v3/volumes', 'ann:project:admin:more', 401],
    ['with an empty project', '/v3/volumes', 'ann:', 401],
    ['with the token of another project than the URL’s', '/v3/other/volumes', 'ann:project', 400],
    ['with no project at all', '/v3/volumes', 'notused', 400],
    ['with a broken escape in the path', '/v3/volumes/%zz', 'ann:project', 400],
  ])('is refused %s', async (_, url, token, status) => {
    const answer = await listed(url, token);

    expect(answer.status).toBe(status);
    if (status === 400) expect(answer.body).toEqual({ badRequest: { code: 400, message: 'Malformed request url' } });
    else expect(answer.body.unauthorized.code).toBe(401);
  });

  it('finds nothing where nothing is', async () => {
    const answer = await listed('/v3/project/nothing', 'ann:project');

    expect(answer).toMatchObject({ status: 404, body: { itemNotFound: { code: 404 } } });
  });

  it.each(['HEAD', 'PATCH', 'OPTIONS', 'PUT'])('may not %s a list', async (method) => {
    const { ask } = createWorld();

    const answer = await ask(method, '/v3/volumes');

    expect(answer).toMatchObject({ status: 405, body: { badMethod: { code: 405 } } });
  });

  it.each([
    ['POST', '/v3/volumes', 'volume:create'],
    ['DELETE', '/v3/volumes/x', 'volume:delete'],
    ['PUT', '/v3/volumes/x', 'volume:update'],
  ])('as a reader may not %s %s', async (method, url, rule) => {
    const { ask } = createWorld();

    const answer = await ask(method, url, { token: 'bob:project:reader', body: {} });

    expect(answer.status).toBe(403);
    expect(answer.body.forbidden.message).toBe(`Policy doesn't allow ${rule} to be performed.`);
  });
});
