import { Option } from 'commander';
import { parsePlacement } from '../../domain/placement.ts';
import { PRIORITIES, type Priority } from '../../domain/priority.ts';
import { type Check, type Migration, type MigrationRequest, type Volume, volumeLabel } from '../api/types.ts';
import { usageError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { span, unbroken } from '../output/line.ts';
import { fillIn } from '../output/remedy.ts';
import { checkResult } from '../output/status.ts';
import { type Column, renderTable } from '../output/table.ts';
import { type AddCommand, examples, operand, positive, wholeFrom } from '../runtime/command.ts';
import { resolveVolume } from '../runtime/resolve.ts';
import type { Session } from '../runtime/session.ts';
import { runWatch } from '../watch/run-watch.ts';

/** `volmove migrate`: asks for a migration, or only checks it; prints the migration's id, progress goes beside it. */

interface MigrateOptions {
  readonly to: string;
  readonly force?: boolean;
  readonly wait?: boolean;
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly verify: boolean;
  readonly keepSource?: number;
  readonly keepDestination?: number;
  readonly wipe?: boolean;
  readonly bandwidth?: number;
  readonly priority?: Priority;
  readonly copyEngine?: 'volmove' | 'dd';
  readonly idempotencyKey?: string;
}

const MIB = 1024 * 1024;

const requestOf = (volume: Volume, options: MigrateOptions): MigrationRequest => ({
  volume_id: volume.id,
  destination: options.to,
  lock: options.force === true,
  verify: options.verify ? 'full' : 'none',
  dry_run: options.dryRun === true,
  ...(options.keepSource === undefined ? {} : { source_retention_seconds: options.keepSource }),
  ...(options.wipe === true ? { wipe: true } : {}),
  ...(options.keepDestination === undefined ? {} : { destination_retention_seconds: options.keepDestination }),
  ...(options.bandwidth === undefined ? {} : { bandwidth_bytes_per_second: Math.round(options.bandwidth * MIB) }),
  ...(options.priority === undefined ? {} : { priority: options.priority }),
  ...(options.copyEngine === undefined ? {} : { copy_engine: options.copyEngine }),
});

const words = (name: string): string => name.replaceAll('_', ' ');

const CHECK_COLUMNS: readonly Column<Check>[] = [
  { title: 'CHECK', cell: (check) => span(words(check.name)) },
  { title: 'RESULT', cell: checkResult },
  { title: 'WHAT IT FOUND', cell: (check) => span(check.message), cut: 'wrap', min: 20 },
];

const dryRun = async (session: Session, request: MigrationRequest): Promise<ExitCode> => {
  const checks = await session.client.dryRun(request);
  const blocked = checks.filter((check) => !check.ok);
  if (session.json) session.document({ checks });
  else {
    session.data(renderTable(CHECK_COLUMNS, checks, session.look));
    for (const { name, remedy } of blocked)
      if (remedy) session.say(`To pass "${words(name)}": ${fillIn(remedy, { volume: request.volume_id })}`);
    session.say(
      blocked.length === 0
        ? 'It can be migrated; nothing was changed.'
        : 'It cannot be migrated now; nothing was changed.',
    );
  }
  return blocked.length === 0 ? EXIT.done : EXIT.blocked;
};

const announce = (session: Session, volume: Volume, migration: Migration, options: MigrateOptions): void => {
  const locked = migration.locked ? ' It is locked meanwhile.' : ' Attaching it ends the migration.';
  session.say(`Accepted: ${volumeLabel(volume)} goes from ${migration.source} to ${migration.destination}.${locked}`);
  if (!options.verify) session.say('It will not be verified, so the source is kept.');
  if (options.wait !== true) session.say(`Watch it: ${unbroken(`volmove watch ${migration.id}`)}`);
};

const migrate = async (session: Session, volume: Volume, options: MigrateOptions): Promise<ExitCode> => {
  const request = requestOf(volume, options);
  if (request.dry_run) return dryRun(session, request);
  const migration = await session.client.migrate(request, options.idempotencyKey);
  announce(session, volume, migration, options);
  if (!session.json) session.data(`${migration.id}\n`);
  if (options.wait !== true) {
    if (session.json) session.document({ migration });
    return EXIT.done;
  }
  const timeoutMs = options.timeout === undefined ? null : options.timeout * 1000;
  const { exitCode, migrations } = await runWatch(session, { ids: [migration.id], timeoutMs, as: 'message' });
  if (session.json) session.document({ migration: migrations[0] ?? migration });
  return exitCode;
};

export const addMigrate: AddCommand = (program, { act }) => {
  program
    .command('migrate')
    .summary('move a volume to another place')
    .description(
      'Moves a volume to another host, backend or pool. It keeps its id, and stays where it is if anything goes wrong.',
    )
    .argument('<VOLUME>', 'name or id')
    .requiredOption('--to <place>', 'HOST@BACKEND#POOL; without #POOL the one with the most free space')
    .option('--force', 'lock the volume: attach and detach are refused until the end')
    .option('--wait', 'show the progress until it has ended')
    .option('--timeout <seconds>', 'give up waiting after this time; the migration goes on', positive)
    .option('--dry-run', 'check everything and change nothing')
    .option('--no-verify', 'do not read the copy back; the source is kept then')
    .option('--keep-source <seconds>', 'keep the source for this time after a success', wholeFrom(0))
    .option('--wipe', 'overwrite the source before it is removed, where its pool is thick')
    .option('--keep-destination <seconds>', 'when it fails, keep what was copied for a retry', wholeFrom(0))
    .option('--bandwidth <MiB/s>', 'copy no faster than this', positive)
    .addOption(
      new Option('--priority <priority>', 'who is next when more wait at a host than may run; normal').choices(
        PRIORITIES,
      ),
    )
    .addOption(
      new Option('--copy-engine <engine>', 'what moves the bytes; dd only within one host, without a limit').choices([
        'volmove',
        'dd',
      ]),
    )
    .option('--idempotency-key <key>', 'asking again with the same key starts nothing new')
    .addHelpText(
      'before',
      examples(
        'volmove migrate data1 --to store-b@files#p1 --wait',
        'volmove migrate data1 --to store-b@files#p1 --dry-run',
        'volmove migrate data1 --to store-b@files --force --bandwidth 200 --keep-source 86400',
      ),
    )
    .action(
      act<MigrateOptions>(async (session, operands, options) => {
        if (parsePlacement(options.to) === undefined) {
          throw usageError(
            `"${options.to}" is not a place of the form HOST@BACKEND#POOL.`,
            'List the places: volmove pools',
          );
        }
        const volume = await resolveVolume(session.client, operand(operands, 0));
        return migrate(session, volume, options);
      }),
    );
};
