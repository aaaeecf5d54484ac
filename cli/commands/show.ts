import { EXIT } from '../exit-codes.ts';
import { keptLines } from '../output/kept.ts';
import { migrationPage } from '../output/migration-page.ts';
import { volumePage } from '../output/volume-page.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { resolveAny } from '../runtime/resolve.ts';

/** `volmove show`: all about one volume or one migration. */

const LAST_MIGRATIONS = 5;
/** What is kept may be of an older one. */
const LOOKED_AT = 100;

export const addShow: AddCommand = (program, { act }, deps) => {
  program
    .command('show')
    .summary('show all about a volume or a migration')
    .description('Shows a volume and its last migrations, or a migration and its timeline.')
    .argument('<VOLUME|MIGRATION>', 'id or name of a volume; id of a migration, or its first 8 or more characters')
    .addHelpText('before', examples('volmove show data1', 'volmove show 0197c2a4'))
    .action(
      act(async (session, operands) => {
        const found = await resolveAny(session.client, operand(operands, 0));
        const nowMs = deps.nowMs();
        if (found.kind === 'migration') {
          if (session.json) session.document({ migration: found.migration });
          else session.data(migrationPage(found.migration, session.look, nowMs));
          return EXIT.done;
        }
        const { volume } = found;
        const { migrations } = await session.client.migrations({ volumeId: volume.id, limit: LOOKED_AT });
        const last = migrations.slice(0, LAST_MIGRATIONS);
        if (session.json) session.document({ volume, migrations: last });
        else {
          const why = volume.status.startsWith('error') ? await session.client.whyInError(volume.id) : undefined;
          session.data(volumePage(volume, { last, kept: migrations.flatMap(keptLines), why }, session.look, nowMs));
        }
        return EXIT.done;
      }),
    );
};
