import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { aVolume, migrationId, volumeId } from './builders.ts';
import { createWorld, type World } from './world.ts';

const ESCAPE = '\u001b';

describe('the command line', () => {
  const worlds: World[] = [];
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
    worlds.push(world);
  });
  afterAll(async () => {
    await Promise.all(worlds.map((one) => one.close()));
  });

  it('begins its help, and that of a command, with examples', async () => {
    const all = await world.run(['--help']);
    const one = await world.run(['migrate', '--help']);

    expect(all.stdout.startsWith('Examples:\n  $ volmove ')).toBe(true);
    expect(one.stdout.startsWith('Examples:\n  $ volmove migrate ')).toBe(true);
    expect(one.stdout).toContain('--json');
  });

  it('suggests the command that was meant', async () => {
    const result = await world.run(['migrat', 'data1']);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("Unknown command 'migrat'");
    expect(result.stderr).toContain('Did you mean migrate?');
  });

  it.each([
    [['migrate', 'data1'], '--to'],
    [['migrate', 'data1', '--to', 'nowhere'], 'HOST@BACKEND#POOL'],
    [['list', '--state', 'lost'], 'requested, running, succeeded'],
    [['list', '--limit', '0'], 'a whole number from 1'],
    [['migrate', 'data1', '--to', 'a@b#c', '--bandwidth', '-1'], 'a number above 0'],
    [['watch'], 'MIGRATION'],
    [['create', '1.5'], 'whole number of GiB'],
    [['volumes', '--endpoint', 'not a url'], 'is not a URL'],
    [['volumes', '--endpoint', 'ftp://host'], 'neither http nor https'],
    [['volumes', 'extra'], 'extra'],
  ])('refuses %j before it asks anything', async (args, hint) => {
    const result = await world.run(args);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(hint);
    expect(world.service.asked).toEqual([]);
  });

  it('prints its help and ends as misused without a command', async () => {
    const result = await world.run([]);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Usage: volmove');
    expect(result.stdout).toBe('');
  });

  it('prints its version', async () => {
    expect(await world.run(['--version'])).toEqual({ exitCode: 0, stdout: '1.2.3\n', stderr: '' });
  });

  it('says which endpoint does not answer and how to start it', async () => {
    const { url } = world.service;
    await world.close();

    const result = await world.run(['volumes']);

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      `error: No answer from ${url}: nothing listens there.\n    -> Start it with: volmove up\n`,
    );
  });

  it('does not wait for ever for an answer', async () => {
    const result = await world.run(['volumes'], { deadline: AbortSignal.abort() });

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('nothing came within 30 s');
  });

  it('says what to do about this very volume', async () => {
    world.service.volumes.push(aVolume());
    const fault = { code: 400, message: 'no', remedy: 'Look at it: volmove show VOLUME; or volmove watch MIGRATION.' };
    world.service.intercept = ({ method }) =>
      method === 'DELETE' ? { status: 400, body: { badRequest: fault } } : undefined;

    const result = await world.run(['delete', 'data1']);

    expect(result.stderr).toContain('Look at it: volmove show data1; or volmove watch MIGRATION.');
  });

  it.each([
    ['attach', ['data1'], 'CannotAttach', 'volmove detach data1'],
    ['detach', ['data1'], 'CannotDetach', 'volmove show data1'],
    ['delete', ['data1'], 'CannotDelete', 'volmove detach data1'],
    ['create', ['8'], 'NoPool', 'Free space, add a pool'],
    ['create', ['8', '--pool', 'a@files#p1'], 'HostUnavailable', 'volmove hosts'],
  ])('knows what to do when %s %j is refused in the standard’s words: %s', async (command, operands, code, remedy) => {
    world.service.volumes.push(aVolume());
    world.service.intercept = ({ method }) =>
      method === 'GET'
        ? undefined
        : {
            status: 400,
            body: { badRequest: { code: 400, message: 'no' } },
            headers: { 'x-volmove-error-code': code },
          };

    const text = await world.run([command, ...operands]);
    const json = await world.run([command, ...operands, '--json']);

    expect(text.stderr).toContain(remedy);
    expect(JSON.parse(json.stderr).error).toMatchObject({ code, exit_code: 3 });
  });

  it('names the migration that a refusal speaks of in what to do', async () => {
    world.service.volumes.push(aVolume());
    const message = `Invalid volume: Volume v is being moved by migration ${migrationId(1)}`;
    const headers = { 'x-volmove-error-code': 'VolumeClaimed' };
    world.service.intercept = ({ method }) =>
      method === 'DELETE' ? { status: 400, body: { badRequest: { code: 400, message } }, headers } : undefined;

    const { stderr } = await world.run(['delete', 'data1']);

    expect(stderr).toContain(`volmove cancel ${migrationId(1)}`);
  });

  it('says how large a volume may be', async () => {
    const result = await world.run(['create', '99999999']);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('65536 GiB');
    expect(world.service.asked).toEqual([]);
  });

  it('says so when something else listens there', async () => {
    world.service.intercept = () => ({ status: 200, body: '<html>hello</html>' });

    const result = await world.run(['volumes']);

    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('something that is not volmove’s');
  });

  it('prefers the options to the environment, and never shows the token', async () => {
    const env = { VOLMOVE_ENDPOINT: 'http://127.0.0.1:1', VOLMOVE_TOKEN: 'from-env' };
    world.service.intercept = () => ({ status: 401, body: { error: { code: 401, message: 'Who are you?' } } });

    const result = await world.run(['volumes', '--endpoint', `${world.service.url}/v3/`, '--token', 's3cret'], { env });

    expect(world.service.asked[0]?.headers['x-auth-token']).toBe('s3cret');
    expect(result.exitCode).toBe(5);
    expect(result.stderr).toContain('Who are you?');
    expect(result.stderr).toContain('VOLMOVE_TOKEN');
    expect(result.stderr + result.stdout).not.toContain('s3cret');
  });

  it('keeps the remedy that the service gives', async () => {
    const body = { badRequest: { code: 400, message: 'no', error_code: 'NoPool', remedy: 'Free space.' } };
    world.service.intercept = () => ({ status: 400, body });

    const text = await world.run(['volumes']);
    const json = await world.run(['volumes', '--json']);

    expect(text.stderr).toBe('error: no\n    -> Free space.\n');
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'NoPool', message: 'no', remedy: 'Free space.', exit_code: 3 },
    });
  });

  it.each([
    ['a terminal', { tty: true }, true],
    ['a terminal with NO_COLOR', { tty: true, env: { NO_COLOR: '1' } }, false],
    ['a dumb terminal', { tty: true, env: { TERM: 'dumb' } }, false],
    ['a pipe', { tty: false }, false],
    ['a pipe with FORCE_COLOR', { tty: false, env: { FORCE_COLOR: '1' } }, true],
    ['a terminal with FORCE_COLOR=0', { tty: true, env: { FORCE_COLOR: '0' } }, false],
  ])('colours on %s: %j', async (_where, options, coloured) => {
    world.service.volumes.push(aVolume());

    const { stdout } = await world.run(['volumes'], options);

    expect(stdout.includes(ESCAPE)).toBe(coloured);
  });

  it('lets no name move the cursor', async () => {
    world.service.volumes.push(aVolume({ name: `evil${ESCAPE}[2J\nname` }));

    const { stdout } = await world.run(['volumes']);

    expect(stdout).toContain('evil?[2J?name');
    expect(stdout).not.toContain(ESCAPE);
  });

  it('finds a volume by name, by id and by the start of its id', async () => {
    world.service.volumes.push(aVolume(), aVolume({ id: `22222222${volumeId(2).slice(8)}`, name: 'data2' }));

    const byName = await world.run(['show', 'data2', '--json']);
    const byId = await world.run(['show', volumeId(1), '--json']);
    const byStart = await world.run(['show', '22222222', '--json']);

    expect(JSON.parse(byName.stdout).volume.name).toBe('data2');
    expect(JSON.parse(byId.stdout).volume.name).toBe('data1');
    expect(JSON.parse(byStart.stdout).volume.name).toBe('data2');
  });

  it('says which ids a name may mean', async () => {
    world.service.volumes.push(aVolume(), aVolume({ id: volumeId(2) }));

    const result = await world.run(['show', 'data1']);

    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('2 volumes are called "data1"');
    expect(result.stderr).toContain(volumeId(1));
    expect(result.stderr).toContain(volumeId(2));
  });

  it('does not find what is not there', async () => {
    const volume = await world.run(['delete', 'nothing']);
    const migration = await world.run(['cancel', 'nothing']);

    expect([volume.exitCode, migration.exitCode]).toEqual([4, 4]);
    expect(volume.stderr).toContain('List the volumes: volmove volumes');
    expect(migration.stderr).toContain('There is no volume and no migration "nothing".');
    expect(migration.stderr).toContain('List them: volmove volumes, volmove list');
  });
});
