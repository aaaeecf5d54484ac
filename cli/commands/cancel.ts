import { migrationLabel } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { unbroken } from '../output/line.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { MIGRATION_OR_VOLUME, resolveUnderWay } from '../runtime/resolve.ts';

/** `volmove cancel`: a wish; the migration rolls back, and the volume stays where it is. */
export const addCancel: AddCommand = (program, { act }) => {
  program
    .command('cancel')
    .summary('cancel a migration; the volume stays where it is')
    .description(
      'Cancels a migration: the volume stays where it is, and what was copied is removed, unless it was to be kept for a retry.',
    )
    .argument('<MIGRATION|VOLUME>', MIGRATION_OR_VOLUME)
    .addHelpText('before', examples('volmove cancel 0197c2a4', 'volmove cancel data1'))
    .action(
      act(async (session, operands) => {
        const { id } = await resolveUnderWay(session.client, operand(operands, 0));
        const migration = await session.client.cancel(id);
        if (session.json) session.document({ migration });
        session.say(
          `Cancelling: ${migrationLabel(migration)} stays at ${migration.source}. See how it ends: ${unbroken(`volmove watch ${id}`)}`,
        );
        return EXIT.done;
      }),
    );
};
