import { migrationLabel } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { unbroken } from '../output/line.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { resolveMigration } from '../runtime/resolve.ts';

/** `volmove cancel`: a wish; the migration rolls back, and the volume stays where it is. */
export const addCancel: AddCommand = (program, { act }) => {
  program
    .command('cancel')
    .summary('cancel a migration; the volume stays where it is')
    .description(
      'Cancels a migration: the volume stays where it is, and what was copied is removed, unless it was to be kept for a retry.',
    )
    .argument('<MIGRATION>', 'id, or its first 8 or more characters')
    .addHelpText('before', examples('volmove cancel 0197c2a4'))
    .action(
      act(async (session, operands) => {
        const { id } = await resolveMigration(session.client, operand(operands, 0));
        const migration = await session.client.cancel(id);
        if (session.json) session.document({ migration });
        session.say(
          `Cancelling: ${migrationLabel(migration)} stays at ${migration.source}. See how it ends: ${unbroken(`volmove watch ${id}`)}`,
        );
        return EXIT.done;
      }),
    );
};
