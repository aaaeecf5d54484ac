import process from 'node:process';
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { Migration, Volume } from './api/types.ts';
import { contentOf, fillVolume } from './demo/data.ts';
import { createNarrator, type Narrator } from './demo/narrator.ts';
import { type Stage, setStage } from './demo/stage.ts';
import { shortDigest } from './output/units.ts';
import type { DemoRun } from './runtime/deps.ts';

/**
 * `volmove demo`: starts an embedded cloud and two agents as processes, makes a volume with a real file system in it, moves it
 * unlocked and back locked, and believes nothing: the content is compared, the id, the source that must be gone, the pools.
 */
const SIZE_GIB = 1;
const DATA_MIB = 300;
const POLL_MS = 60;
const PATIENCE_MS = 120_000;

const sleep = async (ms: number): Promise<void> => {
  await sleepFor(ms);
};

const until = async <T>(what: string, probe: () => Promise<T | undefined | false>, signal: AbortSignal): Promise<T> => {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += POLL_MS) {
    signal.throwIfAborted();
    const found = await probe();
    if (found) return found;
    await sleep(POLL_MS);
  }
  throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
};

const describe = (volume: Volume): string =>
  `status ${volume.status}, migration_status ${volume.migration_status ?? 'none'}, host ${volume['os-vol-host-attr:host'] ?? '-'}`;

const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(`The demo failed: ${what}`);
};

/** Where a guest finds the volume now: asked for as a guest's host asks, then given back. */
const guestPath = async (stage: Stage, id: string): Promise<string> => {
  await stage.client.volumeAction(id, 'os-reserve', null);
  const answer = (await stage.client.volumeAction(id, 'os-initialize_connection', { connector: { host: 'demo' } })) as {
    connection_info: { data: { host: string; object_name: string } };
  };
  const { host, object_name } = answer.connection_info.data;
  await stage.client.volumeAction(id, 'os-terminate_connection', { connector: { host: 'demo' } });
  await stage.client.volumeAction(id, 'os-unreserve', null);
  return stage.objectPath(host, object_name);
};

/** Follows one migration to its end, showing its events and its bar. */
const follow = async (stage: Stage, id: string, narrator: Narrator, signal: AbortSignal): Promise<Migration> => {
  let after = 0;
  const tellEvents = async (): Promise<void> => {
    for (const event of await stage.client.events(id, after)) {
      narrator.event(event);
      after = Math.max(after, Number(event.detail.sequence));
    }
  };
  const ended = await until(
    'the migration ends',
    async () => {
      await tellEvents();
      const now = await stage.client.migration(id);
      narrator.progress(now);
      return now.state !== 'requested' && now.state !== 'running' && now.cleanup.state !== 'pending' && now;
    },
    signal,
  );
  narrator.rest();
  await tellEvents();
  return ended;
};

const move = async (
  stage: Stage,
  volume: Volume,
  to: string,
  lock: boolean,
  narrator: Narrator,
  signal: AbortSignal,
): Promise<void> => {
  const path = await guestPath(stage, volume.id);
  const before = await contentOf(path);
  narrator.say(`\n${lock ? 'Back, locked (volmove migrate --force)' : 'Unlocked'}: to ${to}`);
  narrator.say(`  before  ${describe(await stage.client.volume(volume.id))}`);
  const asked = await stage.client.migrate({
    volume_id: volume.id,
    destination: to,
    lock,
    verify: 'full',
    dry_run: false,
  });
  const migration = await follow(stage, asked.id, narrator, signal);
  must(migration.state === 'succeeded', `the migration ended ${migration.state}: ${migration.reason?.message ?? ''}`);
  const after = await stage.client.volume(volume.id);
  const content = await contentOf(await guestPath(stage, volume.id));
  const objects = await stage.objects();
  narrator.say(`  after   ${describe(after)}`);
  narrator.say(
    `  digests source ${shortDigest(migration.digests?.source ?? '-')}…  destination ${shortDigest(migration.digests?.destination ?? '-')}…`,
  );
  must(migration.digests !== null && migration.digests.source === migration.digests.destination, 'the digests differ');
  must(after.id === volume.id && after['os-vol-host-attr:host'] === to, 'the volume is not where it should be');
  must(content === before, 'the content differs');
  must(objects.length === 1, `more is left than the volume: ${objects.join(', ')}`);
  narrator.say('  checked content equal, id unchanged, source gone, nothing left over');
};

export const runDemo = async ({ print, isTty, signal, keep }: DemoRun): Promise<void> => {
  const draw = isTty ? (text: string): void => void process.stdout.write(text) : undefined;
  const narrator = createNarrator({ print, draw, env: process.env });
  narrator.say('Starting an embedded cloud and two host agents');
  const stage = await setStage({
    fetch,
    deadline: (ms) => AbortSignal.timeout(ms),
    sleep,
    say: (line) => narrator.say(line),
  });
  try {
    await until(
      'both hosts are up',
      async () => (await stage.client.hosts()).filter((h) => h.state === 'up').length === 2,
      signal,
    );
    const made = await stage.client.createVolume(SIZE_GIB, 'demo', 'alpha@files#main');
    const volume = await until(
      'the volume is available',
      async () => {
        const now = await stage.client.volume(made.id);
        must(now.status !== 'error', 'the volume could not be made');
        return now.status === 'available' && now;
      },
      signal,
    );
    const holds = await fillVolume(await guestPath(stage, volume.id), DATA_MIB, stage.directory);
    narrator.say(`\nVolume ${volume.id}: ${SIZE_GIB} GiB, ${holds}`);
    await move(stage, volume, 'beta@files#main', false, narrator, signal);
    await move(stage, volume, 'alpha@files#main', true, narrator, signal);
    await stage.client.deleteVolume(volume.id);
    await until('the volume is gone', async () => (await stage.objects()).length === 0, signal);
    narrator.say('\nDone: moved there and back, proven both ways, deleted, nothing left over.');
  } finally {
    if (keep) narrator.say(`\nKept: ${stage.client.endpoint}, data in ${stage.directory}`);
    else await stage.strike();
  }
};
