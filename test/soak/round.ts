import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Rig, until } from '../system/rig.ts';
import type { Blow } from './blows.ts';
import type { Layout, Moved } from './layout.ts';
import { createLedger } from './ledger.ts';
import { beginMove, type Move, type Wanted } from './move.ts';
import { attemptsUnasked, momentOf, strike } from './strike.ts';

/**
 * One migration under blows: it must succeed, with equal content and nothing left over, and must not have moved more than a
 * checkpoint's interval twice for each blow.
 */
export interface Struck {
  readonly kind: Blow['kind'];
  readonly whom: Blow['whom'];
  readonly hosts: readonly string[];
  readonly phase: string;
  readonly percent: number;
  /** Where the copy goes on from; null when nothing was accounted, as no agent died. */
  readonly resumedPercent: number | null;
  readonly twice: Moved | null;
}

export interface Round {
  readonly struck: readonly Struck[];
  readonly violations: readonly string[];
}

const MIB = 1024 * 1024;
/** A checkpoint each 64 MiB or five seconds, whichever is first (host-agent/copy/checkpointer.ts). */
const INTERVAL_BYTES = 64 * MIB;
const INTERVAL_SECONDS = 5;
/** The bandwidth limit bounds what is written, on average: a window of requests may be ahead of it. */
const WINDOW_BYTES = 8 * MIB;
/** What the kernel's books have besides the data: answers, heartbeats, journals. */
const SLACK_BYTES = 1 * MIB;

const shareOf = (bytes: number, sizeBytes: number): number => Math.round((bytes / sizeBytes) * 1000) / 10;

const leftOver = async (rig: Rig, move: Move, volume: string): Promise<string[]> => {
  const objects = (await rig.objects()).filter((name) => name.includes(volume));
  const misplaced = objects.filter((name) => !name.startsWith(`${move.hosts.destination}/`));
  const wrong = misplaced.length > 0 || objects.length !== 1;
  const forgotten = await until('the checkpoints are forgotten', async () => {
    const left = await readdir(join(rig.dataDir(move.hosts.source), 'checkpoints'));
    return left.length === 0;
  }).catch(() => false);
  return [
    ...(wrong ? [`objects left in the pools: ${objects.join(', ')}`] : []),
    ...(forgotten ? [] : ['a checkpoint was left in the journal']),
  ];
};

export const migrateUnderBlows = async (
  rig: Rig,
  wanted: Wanted & { readonly layout: Layout },
  blows: readonly Blow[],
  onStruck: (struck: Struck) => void,
): Promise<Round> => {
  const before = await rig.content(wanted.volume);
  const move = await beginMove(rig, wanted);
  const ledger = createLedger(wanted.layout);
  const struck: Struck[] = [];
  const violations: string[] = [];
  const inFiveSeconds = wanted.bytesPerSecond * INTERVAL_SECONDS + WINDOW_BYTES;
  const interval: Moved = { read: INTERVAL_BYTES, written: Math.min(INTERVAL_BYTES, inFiveSeconds) };
  let interruptions = 0;

  const account = async (markBytes: number): Promise<Moved> => {
    const twice = ledger.interrupted(await move.moved(), markBytes);
    for (const way of ['read', 'written'] as const) {
      const allowed = interruptions * interval[way];
      if (twice[way] > allowed + SLACK_BYTES)
        violations.push(
          `${twice[way]} bytes ${way} twice, ${allowed} are allowed, before it went on from ${markBytes}`,
        );
    }
    interruptions = 0;
    return twice;
  };
  const deal = async (blow: Blow): Promise<void> => {
    const { phase, progress } = await rig.migration(move.id);
    const hosts = blow.whom.map((role) => move.hosts[role]);
    const seen = { kind: blow.kind, whom: blow.whom, hosts, phase, percent: progress?.percent ?? 0 };
    let told: Struck = { ...seen, resumedPercent: null, twice: null };
    // without its cloud the copy goes on: nothing may be lost
    if (blow.whom.includes('cloud')) await strike(rig, move, blow, async () => undefined);
    else {
      interruptions += 1;
      await strike(rig, move, blow, async () => {
        const markBytes = await move.markBytes(ledger.markBytes);
        told = { ...told, resumedPercent: shareOf(markBytes, move.sizeBytes), twice: await account(markBytes) };
      });
    }
    struck.push(told);
    onStruck(told);
  };

  for (const blow of blows) {
    if (!(await momentOf(rig, move, blow))) break;
    await deal(blow);
  }
  interruptions += await attemptsUnasked(rig, move);
  const ended = await rig.ended(move.id);
  if (ended.state !== 'succeeded') violations.push(`the migration ${ended.state}: ${ended.reason?.message}`);
  else {
    await account(move.sizeBytes);
    violations.push(...(await leftOver(rig, move, wanted.volume)));
  }
  if ((await rig.content(wanted.volume)) !== before) violations.push('the content differs');
  return { struck, violations };
};
