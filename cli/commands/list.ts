import { Option } from 'commander';
import { MIGRATION_STATES, type MigrationState } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { migrationColumns } from '../output/migration-table.ts';
import { renderTable } from '../output/table.ts';
import { type AddCommand, examples, wholeFrom } from '../runtime/command.ts';
import { resolveVolume } from '../runtime/resolve.ts';

/** `volmove list`: migrations, newest first. */

interface ListOptions {
  readonly volume?: string;
  readonly state?: MigrationState;
  readonly limit: number;
}

const MOST = 10_000;

export const addList: AddCommand = (program, { act }, deps) => {
  program
    .command('list')
    .summary('list migrations, newest first')
    .description('Lists migrations, newest first.')
    .option('--volume <volume>', 'only those of this volume (id or name)')
    .addOption(new Option('--state <state>', 'only those in this state').choices(MIGRATION_STATES))
    .option('--limit <count>', 'at most so many', wholeFrom(1, MOST), 20)
    .addHelpText('before', examples('volmove list --state running', 'volmove list --volume data1 --limit 5'))
    .action(
      act<ListOptions>(async (session, _operands, { volume, state, limit }) => {
        const volumeId = volume === undefined ? undefined : (await resolveVolume(session.client, volume)).id;
        const { migrations, more } = await session.client.migrations({ volumeId, state, limit });
        if (session.json) session.document({ migrations });
        else if (migrations.length === 0) session.say('There are no such migrations.');
        else {
          const columns = migrationColumns(deps.nowMs(), {
            withVolume: true,
            withKept: migrations.some(({ kept = [] }) => kept.length > 0),
          });
          session.data(renderTable(columns, migrations, session.look));
          if (more) session.say(`There are more: volmove list --limit ${Math.min(MOST, limit * 5)}`);
        }
        return EXIT.done;
      }),
    );
};
