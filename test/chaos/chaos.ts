import { setTimeout as sleep } from 'node:timers/promises';
import { dynamoClient, statesClient } from '../../aws/clients.ts';
import { isEnded, type Migration } from '../../domain/migration/migration.ts';
import { REGION, TABLE } from '../../embedded/environment.ts';
import { dynamoRecords } from '../../store/dynamo-records.ts';
import { createStore } from '../../store/store.ts';
import { type Chance, chanceOf } from '../helpers/sim/random.ts';
import { startRig, until } from '../system/rig.ts';
import { drawPlan, type Fault, type Timings } from './draw.ts';
import { dealFaults } from './faults.ts';
import { ask, letGo, POOLS, placesOf, topUp } from './field.ts';
import { type Court, judge, NEWEST, unrest } from './judge.ts';
import { resumeAll, runTraffic } from './traffic.ts';

/**
 * Real processes under faults: an embedded cloud and agents are killed and frozen in mid-flight, over and over, and must come to
 * rest by themselves each time, with nothing lost, stuck or left over. The choices are the seed's; what they meet is real
 * time's, so a seed does not replay a run exactly.
 */
export interface ChaosOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly print: (line: string) => void;
}

export interface Round {
  readonly nth: number;
  readonly faults: readonly Fault[];
  /** Migrations that had been accepted and not ended when each fault struck. */
  readonly inFlight: readonly number[];
  readonly requests: Readonly<Record<string, number>>;
  readonly outcomes: Readonly<Record<string, number>>;
  /** From the end of the last fault to the end of the last migration, and to rest. */
  readonly terminalSeconds: number;
  readonly restSeconds: number;
  /** Timeline of the migration that ended last, in seconds after the last fault. */
  readonly slowest: readonly string[];
  readonly violations: readonly string[];
}

export interface ChaosReport {
  readonly seed: number;
  readonly rounds: readonly Round[];
  readonly violations: readonly string[];
}

const HOSTS = ['alpha', 'beta', 'gamma'];
const VOLUMES = 20;
const HEARTBEAT_SECONDS = 1.5;
const TIMINGS: Timings = { leaseMs: 3 * HEARTBEAT_SECONDS * 1000, hostLostAfterMs: 9_000 };
const TERMINAL_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;
const LOOKS_PER_HEARING = 10;

/** What the faults and the disturbances of a round may lead to; any other end is a violation. */
const EXPLAINED = new Set([
  'succeeded',
  'AbortedByAttach',
  'Cancelled',
  'HostLost',
  'HostUnavailable',
  'NeverClaimed',
  // a guest, a delete or another request was first
  'InvalidVolume',
  'VolumeNotFound',
]);

const outcomeOf = ({ stage }: Migration): string => ('reason' in stage ? stage.reason.code : stage.state);

const tally = (words: Iterable<string>): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
};

const startCourt = async (): Promise<Court> => {
  const settings = { heartbeat_seconds: HEARTBEAT_SECONDS, peer_answer_seconds: 2, peer_away_seconds: 20 };
  const environment = {
    VOLMOVE_HOST_LOST_AFTER_MS: String(TIMINGS.hostLostAfterMs),
    VOLMOVE_SWEEP_GRACE_MS: '1000',
    VOLMOVE_REMOVAL_WAIT_SECONDS: '5',
  };
  const rig = await startRig(HOSTS, settings, POOLS, environment);
  const cloud = { region: REGION, endpoint: rig.url };
  return {
    rig,
    hosts: HOSTS,
    places: placesOf(HOSTS),
    volumes: new Map(),
    store: createStore(dynamoRecords(dynamoClient(cloud), TABLE)),
    states: statesClient(cloud),
  };
};

/** Until nothing is unfinished; what still is when the time is over. */
const settle = async (court: Court, sinceMs: number): Promise<string[]> => {
  for (let looks = 1; ; looks++) {
    const late = Date.now() - sinceMs > TERMINAL_WITHIN_MS;
    const { migrations, volumes } = await court.store.open();
    // the index is a hint, and cheap; a kill of the cloud may leave a row in it whose item was never written
    if (late || looks % LOOKS_PER_HEARING === 0 || migrations.length + volumes.length === 0) {
      const left = await unrest(court);
      if (left.length === 0) return unrest(court, true);
      if (late) return left;
    }
    await sleep(LOOK_EVERY_MS);
  }
};

/** Creates that failed leave volumes in error; they are deleted, and others take the place of those that are gone. */
const prepare = async (court: Court, chance: Chance): Promise<void> => {
  for (const volume of await court.store.volumes.all()) {
    if (volume.status !== 'error') continue;
    await ask(court.rig, 'DELETE', `/volumes/${volume.id}`);
    await until('it is gone', async () => (await court.store.volumes.get(volume.id)) === undefined);
    court.volumes.delete(volume.id);
  }
  for (const volume of court.volumes.values()) volume.deleted = null;
  await topUp(court, chance, VOLUMES);
};

const newest = async ({ store }: Court): Promise<Migration[]> =>
  (await store.migrations.list({ limit: NEWEST })).values;

const endsOf = async (court: Court, before: ReadonlySet<string>): Promise<Migration[]> =>
  (await newest(court)).filter(({ id }) => !before.has(id));

const endedAtMs = ({ stage }: Migration): number => ('endedAtMs' in stage ? stage.endedAtMs : 0);

const isInFlight = (migration: Migration, atMs: number): boolean =>
  migration.requestedAtMs <= atMs && (!isEnded(migration) || endedAtMs(migration) > atMs);

const timelineOf = (ends: readonly Migration[], sinceMs: number): string[] => {
  const last = ends.toSorted((a, b) => endedAtMs(b) - endedAtMs(a))[0];
  return (last?.story ?? []).map(
    ({ atMs, who, to, why }) => `${((atMs - sinceMs) / 1000).toFixed(1)} s ${to} by ${who}${why ? `: ${why}` : ''}`,
  );
};

const runRound = async (court: Court, chance: Chance, nth: number): Promise<Round> => {
  await prepare(court, chance);
  const before = new Set((await newest(court)).map(({ id }) => id));
  const plan = drawPlan(chance, court.volumes.size, court.hosts, TIMINGS);
  let faultsOverMs = 0;
  const faults = async (): Promise<readonly number[]> => {
    const struckAtMs = await dealFaults(court.rig, plan.faults);
    faultsOverMs = Date.now();
    return struckAtMs;
  };
  const [traffic, struckAtMs] = await Promise.all([runTraffic(court, plan), faults()]);
  await Promise.all([letGo(court), resumeAll(court, traffic.migrations)]);
  const left = await settle(court, faultsOverMs);
  const restMs = Date.now() - faultsOverMs;
  const ends = await endsOf(court, before);
  const lastEndMs = Math.max(faultsOverMs, ...ends.map(endedAtMs));
  const unexplained = ends
    .filter((migration) => isEnded(migration) && !EXPLAINED.has(outcomeOf(migration)))
    .map(
      ({ id, stage }) => `migration ${id} ended ${stage.state}: ${JSON.stringify('reason' in stage && stage.reason)}`,
    );
  return {
    nth,
    faults: plan.faults,
    inFlight: struckAtMs.map((atMs) => ends.filter((one) => isInFlight(one, atMs)).length),
    requests: Object.fromEntries(traffic.counts),
    outcomes: tally(ends.map(outcomeOf)),
    terminalSeconds: (lastEndMs - faultsOverMs) / 1000,
    restSeconds: restMs / 1000,
    slowest: timelineOf(ends, faultsOverMs),
    violations: [...left, ...unexplained, ...(left.length === 0 ? await judge(court) : [])],
  };
};

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');

const lineOf = (
  seed: number,
  { nth, faults, inFlight, requests, outcomes, terminalSeconds, restSeconds }: Round,
): string => {
  const dealt = faults.map(({ kind, whom, forMs }) => `${kind} ${whom.join('+')} ${(forMs / 1000).toFixed(1)} s`);
  return [
    `seed ${seed} round ${nth}: ${dealt.join(', ')}`,
    `in flight then: ${inFlight.join(', ')}`,
    `asked: ${list(requests)}`,
    `ended: ${list(outcomes)}`,
    `last end ${terminalSeconds.toFixed(1)} s, rest ${restSeconds.toFixed(1)} s after the last fault`,
  ].join(' | ');
};

export const chaos = async ({ seed, rounds, print }: ChaosOptions): Promise<ChaosReport> => {
  const chance = chanceOf(seed);
  const court = await startCourt();
  const told: Round[] = [];
  const violations: string[] = [];
  const violated = (what: string): void => {
    violations.push(what);
    print(`VIOLATION seed ${seed} round ${told.length}: ${what}`);
  };
  try {
    while (told.length < rounds && violations.length === 0) {
      const round = await runRound(court, chance, told.length + 1);
      told.push(round);
      print(lineOf(seed, round));
      for (const violation of round.violations) violated(violation);
    }
  } catch (error) {
    violated(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    if (violations.length > 0)
      for (const part of ['cloud', ...HOSTS])
        print(`the end of ${part}'s log:\n${(await court.rig.log(part)).slice(-3000)}`);
    await court.rig.stop();
  }
  return { seed, rounds: told, violations };
};
