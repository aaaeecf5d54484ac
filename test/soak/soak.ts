import { type Chance, chanceOf } from '../helpers/sim/random.ts';
import { type Rig, startRig, until } from '../system/rig.ts';
import { countKills, drawBlow, PEER_ANSWER_SECONDS } from './blows.ts';
import { arrived, fill, layoutOf } from './layout.ts';
import { migrateUnderBlows, type Struck } from './round.ts';

/** Migrations back and forth between two real agents, under blows that a seed draws, until enough agents were killed. */
export interface SoakOptions {
  readonly seed: number;
  /** Of agents. */
  readonly kills: number;
  /** The share of volumes that are copied so slowly that a checkpoint's five seconds are over before its 64 MiB. */
  readonly slowShare: number;
  readonly print: (line: string) => void;
}

export interface SoakReport {
  readonly seed: number;
  readonly kills: number;
  readonly migrations: number;
  readonly struck: readonly Struck[];
  readonly violations: readonly string[];
}

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const FAST = { rates: [64, 96, 128, 192], dataBytes: 320 * MIB, mostBytes: 110 * MIB, blows: 10 };
const SLOW = { rates: [10], dataBytes: 120 * MIB, mostBytes: 70 * MIB, blows: 3 };
const MOVES_OF_A_VOLUME = 2;

const inMib = (bytes: number): string => (bytes / MIB).toFixed(1);

const lineOf = ({ kind, whom, hosts, phase, percent, resumedPercent, twice }: Struck): string => {
  const who = whom.map((role, i) => (role === 'cloud' ? role : `${role} ${hosts[i]}`)).join(' and ');
  const what = `${kind} of ${who} at ${percent} % ${phase}`;
  if (resumedPercent === null || !twice) return what;
  return `${what}, resumed from ${resumedPercent} %, copied twice: ${inMib(twice.read)} MiB read, ${inMib(twice.written)} MiB written`;
};

const aVolume = async (rig: Rig, chance: Chance, dataBytes: number) => {
  const volume = await rig.create('alpha');
  const layout = layoutOf(chance, GIB, dataBytes);
  await fill(await rig.path(volume), layout);
  return { volume, layout, sizeBytes: GIB };
};

const remove = async (rig: Rig, volume: string): Promise<void> => {
  await rig.call('DELETE', `/volumes/${volume}`);
  await until('the volume is gone', async () => (await rig.call('GET', `/volumes/${volume}`)).status === 404);
};

export const soak = async ({ seed, kills, slowShare, print }: SoakOptions): Promise<SoakReport> => {
  const chance = chanceOf(seed);
  const rig = await startRig(['alpha', 'beta'], { peer_answer_seconds: PEER_ANSWER_SECONDS });
  const struck: Struck[] = [];
  const violations: string[] = [];
  let migrations = 0;
  const violated = (what: string): void => {
    violations.push(what);
    print(`VIOLATION seed ${seed} migration ${migrations}: ${what}`);
  };
  const round = async (
    volume: Awaited<ReturnType<typeof aVolume>>,
    pace: typeof FAST,
    nth: number,
  ): Promise<boolean> => {
    const [from, to] = nth % 2 === 0 ? ['alpha', 'beta'] : ['beta', 'alpha'];
    const rate = pace.rates[chance.below(pace.rates.length)] ?? 1;
    const bytesPerSecond = rate * MIB;
    const layout = nth === 0 ? volume.layout : arrived(volume.layout);
    const left = kills - countKills(struck);
    const blows = Array.from({ length: Math.min(left, 2 + chance.below(pace.blows - 1)) }, () =>
      drawBlow(chance, pace.mostBytes),
    );
    migrations += 1;
    const ended = await migrateUnderBlows(rig, { ...volume, layout, from, to, bytesPerSecond }, blows, (one) => {
      struck.push(one);
      print(`seed ${seed} blow ${struck.length}, migration ${migrations} at ${rate} MiB/s: ${lineOf(one)}`);
    });
    for (const violation of ended.violations) violated(violation);
    return ended.violations.length === 0;
  };
  try {
    while (countKills(struck) < kills) {
      const pace = chance.happens(slowShare) ? SLOW : FAST;
      const volume = await aVolume(rig, chance, pace.dataBytes);
      for (let nth = 0; nth < MOVES_OF_A_VOLUME && countKills(struck) < kills; nth++)
        if (!(await round(volume, pace, nth))) break;
      await remove(rig, volume.volume);
    }
  } catch (error) {
    violated(error instanceof Error ? (error.stack ?? error.message) : String(error));
    for (const name of ['cloud', 'alpha', 'beta'])
      print(`the end of ${name}'s log:\n${(await rig.log(name)).slice(-2000)}`);
  } finally {
    await rig.stop();
  }
  return { seed, kills: countKills(struck), migrations, struck, violations };
};
