import { type Kept, type Migration, migrationLabel, type Reason } from '../api/types.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { keptOf } from '../output/kept.ts';
import type { Tone } from '../output/paint.ts';
import { fillIn, withoutReassurance } from '../output/remedy.ts';
import { bytes, duration, shortDigest, utc } from '../output/units.ts';

/** The last word on a migration that has ended: what is true now, and what to do. Sentences, in the order of their weight. */

export interface Verdict {
  readonly tone: Tone;
  readonly ok: boolean;
  readonly sentences: readonly string[];
  readonly exitCode: ExitCode;
}

export const tookMs = (migration: Migration): number | null =>
  migration.ended_at === null ? null : Date.parse(migration.ended_at) - Date.parse(migration.requested_at);

const inTime = (migration: Migration): string => {
  const ms = tookMs(migration);
  return ms === null ? '' : ` in ${duration(ms)}`;
};

/** Says only what the two digests prove. */
export const proofText = (migration: Migration): string => {
  const { source, destination } = migration.digests ?? { source: null, destination: null };
  if (source === null && destination === null) return 'not verified by digest';
  if (source !== null && source === destination) {
    const cached = migration.verified === 'cached' ? ' (verified: cached, the page cache could not be passed by)' : '';
    return `digest ${shortDigest(source)} at both ends${cached}`;
  }
  return `digest ${source === null ? 'unknown' : shortDigest(source)} at the source, ${destination === null ? 'unknown' : shortDigest(destination)} at the destination`;
};

export const CLEANUP_REMEDY =
  'End what holds it; the removal is tried again by itself, or at once: volmove cleanup --remove-all';

const leftText = (migration: Migration): string =>
  migration.cleanup.left
    .map(
      ({ object, host, tries, reason }) =>
        `${object} on ${host} (${tries} tries${reason === null ? '' : `: ${reason}`})`,
    )
    .join('; ');

const isOldCopyGone = (migration: Migration): boolean =>
  migration.state === 'succeeded' && !migration.restored_at && keptOf(migration, 'source') === undefined;

const keptSentences = (migration: Migration): string[] => {
  const [source, destination] = [keptOf(migration, 'source'), keptOf(migration, 'destination')];
  const at = ({ host, until }: Kept): string => `is kept at ${host} until ${utc(until)} UTC`;
  return [
    ...(source ? [`The source ${at(source)}; go back to it: volmove restore ${migrationLabel(migration)}`] : []),
    ...(destination ? [`What was copied ${at(destination)}; go on with it: volmove retry ${migration.id}`] : []),
  ];
};

const nothingLeft = ({ kept = [] }: Migration): string =>
  kept.length === 0 ? 'Nothing is left over.' : 'Nothing else is left over.';

const cleanupSentences = (migration: Migration): string[] => {
  switch (migration.cleanup.state) {
    case 'none':
      return [];
    case 'done':
      return [isOldCopyGone(migration) ? 'The old copy is removed.' : nothingLeft(migration)];
    case 'pending':
      return [`Still being removed, and tried until it is gone: volmove show ${migration.id}`];
    case 'needs_you':
      return [`Cleanup needs you: ${leftText(migration)}.`, CLEANUP_REMEDY];
  }
};

const success = (migration: Migration): string[] => {
  if (migration.restored_at) {
    const { source, destination } = migration;
    return [
      `${migrationLabel(migration)} went back to ${source}, after it had moved to ${destination}${inTime(migration)}.`,
    ];
  }
  const moved = `${bytes(migration.size_bytes)}${inTime(migration)}, ${proofText(migration)}`;
  return [`${migrationLabel(migration)} moved to ${migration.destination}: ${moved}.`];
};

/** What to do after a failure; empty when there is nothing that the verdict has not said. */
export const remedyOf = (migration: Migration, reason: Reason): string =>
  withoutReassurance(fillIn(reason.remedy, { volume: migrationLabel(migration), migration: migration.id }));

const failure = (migration: Migration): string[] => {
  const reason = migration.reason?.message ?? 'The reason is not known.';
  const remedy = migration.reason === null ? '' : remedyOf(migration, migration.reason);
  const next = remedy === '' ? [] : [`Next: ${remedy}`];
  const verb = migration.state === 'refused' ? 'was refused' : `failed${inTime(migration)}`;
  const safe = `The volume stayed safe at ${migration.source}.`;
  return [`The migration of ${migrationLabel(migration)} ${verb}: ${reason}`, safe, ...next];
};

export const exitCodeOf = (migration: Migration): ExitCode => {
  switch (migration.state) {
    case 'requested':
    case 'running':
      return EXIT.timedOut;
    case 'refused':
      return EXIT.blocked;
    case 'succeeded':
      return migration.cleanup.state === 'needs_you' ? EXIT.needsYou : EXIT.done;
    case 'failed':
      return migration.cleanup.state === 'needs_you' ? EXIT.needsYou : EXIT.failed;
  }
};

export const verdictOf = (migration: Migration): Verdict => {
  const ok = migration.state === 'succeeded';
  const sentences = [
    ...(ok ? success(migration) : failure(migration)),
    ...keptSentences(migration),
    ...cleanupSentences(migration),
  ];
  const tone = !ok ? 'red' : migration.cleanup.state === 'needs_you' ? 'yellow' : 'green';
  return { tone, ok, sentences, exitCode: exitCodeOf(migration) };
};
