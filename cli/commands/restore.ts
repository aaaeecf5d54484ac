import { type Kept, type Migration, type Volume, volumeLabel, volumePlace } from '../api/types.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { keptOf } from '../output/kept.ts';
import { unbroken } from '../output/line.ts';
import { utc } from '../output/units.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { type Confirmation, requireYes } from '../runtime/confirm.ts';
import { resolveMigration, resolveVolume } from '../runtime/resolve.ts';
import type { Session } from '../runtime/session.ts';

/** `volmove restore`: a volume goes back to the source that a migration has left, while that is kept. */

interface RestoreOptions {
  readonly migration?: string;
  readonly discardChanges?: boolean;
  readonly yes?: boolean;
}

/** Migrations are looked through for a kept source from the newest on; older ones are named with --migration. */
const LOOKED_AT = 500;

const newestKept = async ({ client }: Session, volume: Volume): Promise<Migration> => {
  const { migrations } = await client.migrations({ volumeId: volume.id, limit: LOOKED_AT });
  const found = migrations.find((migration) => keptOf(migration, 'source') !== undefined);
  if (found !== undefined) return found;
  throw new CliError({
    exitCode: EXIT.notFound,
    code: 'NothingKept',
    message: `No source of volume ${volumeLabel(volume)} is kept.`,
    remedy: 'Keep one with the next migration: volmove migrate VOLUME --to PLACE --keep-source SECONDS',
  });
};

const migrationOf = async (session: Session, volume: Volume, asked: string | undefined): Promise<Migration> => {
  if (asked === undefined) return newestKept(session, volume);
  const migration = await resolveMigration(session.client, asked);
  if (migration.volume_id === volume.id) return migration;
  throw usageError(
    `Migration ${migration.id} moved another volume: ${migration.volume_id}.`,
    `List those of this one: volmove list --volume ${volume.id}`,
  );
};

const planOf = (volume: Volume, migration: Migration, kept: Kept | undefined, discards: boolean): string => {
  const from = volumePlace(volume);
  const until = kept === undefined ? '' : `, kept until ${utc(kept.until)} UTC`;
  const lost = discards ? ' With that, what was written since the migration is lost.' : '';
  return `${volumeLabel(volume)} is to go from ${from} back to ${kept?.host ?? migration.source}${until}; what is at ${from} is removed then.${lost}`;
};

const CONFIRMATION: Confirmation = {
  question: 'Go back?',
  unasked: 'It cannot be undone, and there is nobody to ask.',
  refused: 'Nothing was changed.',
};

const restore = async (session: Session, volume: Volume, options: RestoreOptions): Promise<ExitCode> => {
  const found = await migrationOf(session, volume, options.migration);
  const discards = options.discardChanges === true;
  session.say(planOf(volume, found, keptOf(found, 'source'), discards));
  if (options.yes !== true) await requireYes(session, CONFIRMATION);
  const migration = await session.client.restore(found.id, discards);
  if (session.json) session.document({ migration });
  session.say(`${volumeLabel(volume)} lives at ${migration.source} again.`);
  if (migration.cleanup.state === 'pending')
    session.say(`What it has left is being removed: ${unbroken(`volmove show ${migration.id}`)}`);
  return EXIT.done;
};

export const addRestore: AddCommand = (program, { act }) => {
  program
    .command('restore')
    .summary('bring a volume back to the source that was kept')
    .description(
      'Brings a volume back to the source that a migration has left, while it is kept (migrate --keep-source). The volume must be available; what it lives on now is removed.',
    )
    .argument('<VOLUME>', 'name or id')
    .option('--migration <migration>', 'which migration to go back behind; the newest whose source is kept')
    .option('--discard-changes', 'also when it may have been written to since then: that is lost')
    .option('--yes', 'do not ask')
    .addHelpText('before', examples('volmove restore data1', 'volmove restore data1 --discard-changes --yes'))
    .action(
      act<RestoreOptions>(async (session, operands, options) => {
        const volume = await resolveVolume(session.client, operand(operands, 0));
        return restore(session, volume, options);
      }),
    );
};
