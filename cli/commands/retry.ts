import { type Migration, migrationLabel } from '../api/types.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { keptOf } from '../output/kept.ts';
import { unbroken } from '../output/line.ts';
import { type AddCommand, examples, operand, positive } from '../runtime/command.ts';
import { MIGRATION_OR_VOLUME, resolveFailed } from '../runtime/resolve.ts';
import type { Session } from '../runtime/session.ts';
import { runWatch } from '../watch/run-watch.ts';

/** `volmove retry`: a migration that has failed is begun again, with what its last run has copied where that was kept. */

interface RetryOptions {
  readonly wait?: boolean;
  readonly timeout?: number;
}

const announce = (session: Session, before: Migration, migration: Migration, waits: boolean): void => {
  const begun = keptOf(before, 'destination') ? 'with what was copied before' : 'from the beginning';
  const how = before.ended_at === null ? 'asked for before and under way' : begun;
  session.say(
    `Accepted: ${migrationLabel(migration)} goes from ${migration.source} to ${migration.destination}, ${how} (run ${migration.run}).`,
  );
  if (!waits) session.say(`Watch it: ${unbroken(`volmove watch ${migration.id}`)}`);
};

const retry = async (session: Session, text: string, { wait, timeout }: RetryOptions): Promise<ExitCode> => {
  const before = await resolveFailed(session.client, text);
  const migration = await session.client.retry(before.id);
  announce(session, before, migration, wait === true);
  if (wait !== true) {
    if (session.json) session.document({ migration });
    return EXIT.done;
  }
  const timeoutMs = timeout === undefined ? null : timeout * 1000;
  const { exitCode, migrations } = await runWatch(session, { ids: [migration.id], timeoutMs, as: 'message' });
  if (session.json) session.document({ migration: migrations[0] ?? migration });
  return exitCode;
};

export const addRetry: AddCommand = (program, { act }) => {
  program
    .command('retry')
    .summary('begin a migration again that has failed')
    .description(
      'Begins a migration again that has failed, under the same id. It goes on with what was copied before, while that is kept (migrate --keep-destination); else from the beginning.',
    )
    .argument('<MIGRATION|VOLUME>', MIGRATION_OR_VOLUME)
    .option('--wait', 'show the progress until it has ended')
    .option('--timeout <seconds>', 'give up waiting after this time; the migration goes on', positive)
    .addHelpText('before', examples('volmove retry 0197c2a4', 'volmove retry data1', 'volmove retry 0197c2a4 --wait'))
    .action(act<RetryOptions>((session, operands, options) => retry(session, operand(operands, 0), options)));
};
