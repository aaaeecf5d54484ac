import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, readConfig } from '../../host-agent/config.ts';
import { tempDir } from '../data-path/helpers/temp-dir.ts';
import { refusalOf } from '../helpers/refusal.ts';

const MINIMAL = {
  host_id: 'alpha',
  data_dir: '/var/lib/volmove',
  backends: [{ name: 'files', driver: 'file', pools: [{ name: 'main', path: '/srv/pool' }] }],
};

const problemsOf = async (value: unknown): Promise<string[]> => {
  const error = await refusalOf((async () => parseConfig(value))());
  expect(error.code).toBe('ConfigInvalid');
  return error.message.split('\n').slice(1);
};

describe('the configuration of an agent', () => {
  it('needs a host, a data directory and a backend; everything else has a default', () => {
    const config = parseConfig(MINIMAL);

    expect(config).toEqual({
      ...MINIMAL,
      region: 'us-east-1',
      table: 'volmove',
      bus: 'volmove',
      auto_register: false,
      data_address: '127.0.0.1:0',
      migration_progress_report_interval: 10,
      heartbeat_seconds: 20,
      concurrency: 4,
      stall_after_seconds: 60,
      stall_fail_after_seconds: 3600,
      peer_away_seconds: 120,
      peer_answer_seconds: 30,
    });
  });

  it('beats more often for an embedded cloud, unless told otherwise', () => {
    const embedded = { ...MINIMAL, endpoint: 'http://127.0.0.1:8776' };

    expect(parseConfig(embedded).heartbeat_seconds).toBe(2);
    expect(parseConfig({ ...embedded, heartbeat_seconds: 9 }).heartbeat_seconds).toBe(9);
  });

  it('with five mistakes has all five listed at once, each with its place', async () => {
    const problems = await problemsOf({
      host_id: 'not a slug',
      data_dir: 'relative',
      heartbeat_seconds: 0,
      concurency: 4,
      backends: [{ name: 'files', driver: 'file', pools: [] }],
    });

    expect(problems.length).toBe(5);
    expect(problems.join('\n')).toMatch(/host_id: letters/);
    expect(problems.join('\n')).toMatch(/data_dir: an absolute path/);
    expect(problems.join('\n')).toMatch(/heartbeat_seconds: /);
    expect(problems.join('\n')).toMatch(/concurency/);
    expect(problems.join('\n')).toMatch(/backends\.0\.pools: at least one pool/);
  });

  it('may limit how many copies and read-backs a backend has at once, from 1 to 64', async () => {
    const [files] = MINIMAL.backends;
    const limited = (concurrency: number) => ({ ...MINIMAL, backends: [{ ...files, concurrency }] });

    expect(parseConfig(limited(2)).backends[0]?.concurrency).toBe(2);
    expect(await problemsOf(limited(0))).toHaveLength(1);
    expect((await problemsOf(limited(65)))[0]).toContain('backends.0.concurrency');
  });

  it('has no name twice: neither a backend nor a pool of one backend', async () => {
    const pool = { name: 'main', path: '/srv/pool' };

    const problems = await problemsOf({
      ...MINIMAL,
      backends: [
        { name: 'files', driver: 'file', pools: [pool, { ...pool, path: '/srv/other' }] },
        { name: 'files', driver: 'file', pools: [pool] },
      ],
    });

    expect(problems).toEqual([
      '  - backends: name files is there twice',
      '  - backends.files: pool main is there twice',
    ]);
  });

  it('may use the same pool name in two backends', () => {
    const [first] = MINIMAL.backends;

    expect(() => parseConfig({ ...MINIMAL, backends: [first, { ...first, name: 'other' }] })).not.toThrow();
  });

  it('names an unknown driver and anything that is no object at all', async () => {
    const unknown = await problemsOf({ ...MINIMAL, backends: [{ name: 'x', driver: 'tape', pools: [] }] });
    const nothing = await problemsOf(null);

    expect(unknown.join()).toContain('backends.0.driver');
    expect(nothing.join()).toContain('the file');
  });

  it('is read from a file, and a file that is missing or no JSON is said by its path', async () => {
    const directory = await tempDir();
    const [good, bad] = [join(directory, 'good.json'), join(directory, 'bad.json')];
    await writeFile(good, JSON.stringify(MINIMAL));
    await writeFile(bad, '{ host_id: ');

    const config = await readConfig(good);
    const missing = await refusalOf(readConfig(join(directory, 'none.json')));
    const malformed = await refusalOf(readConfig(bad));

    expect(config.host_id).toBe('alpha');
    expect(missing.message).toContain(`${join(directory, 'none.json')}: there is no such file`);
    expect(malformed.message).toContain(`${bad} is not JSON`);
  });
});
