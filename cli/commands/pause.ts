import { migrationLabel } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { unbroken } from '../output/line.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { MIGRATION_OR_VOLUME, resolveUnderWay } from '../runtime/resolve.ts';
import { hasBytes } from '../watch/phases.ts';

/** `volmove pause` and `volmove resume`: the copy holds where it is, and goes on from there. */

export const addPause: AddCommand = (program, { act }) => {
  program
    .command('pause')
    .summary('hold a migration where it is')
    .description(
      'Holds a migration: what is under way ends and is made durable, then nothing moves. It goes on from there with resume, or by itself after a day.',
    )
    .argument('<MIGRATION|VOLUME>', MIGRATION_OR_VOLUME)
    .addHelpText('before', examples('volmove pause 0197c2a4', 'volmove pause data1'))
    .action(
      act(async (session, operands) => {
        const { id } = await resolveUnderWay(session.client, operand(operands, 0));
        const migration = await session.client.pause(id);
        if (session.json) session.document({ migration });
        const when = hasBytes(migration.phase) ? '' : ' when its copy begins';
        session.say(`Pausing: ${migrationLabel(migration)} holds${when}. Go on: ${unbroken(`volmove resume ${id}`)}`);
        return EXIT.done;
      }),
    );
};

export const addResume: AddCommand = (program, { act }) => {
  program
    .command('resume')
    .summary('let a migration that is paused go on')
    .description('Lets a migration that is paused go on from where it was.')
    .argument('<MIGRATION|VOLUME>', MIGRATION_OR_VOLUME)
    .addHelpText('before', examples('volmove resume 0197c2a4', 'volmove resume data1'))
    .action(
      act(async (session, operands) => {
        const { id } = await resolveUnderWay(session.client, operand(operands, 0));
        const migration = await session.client.resume(id);
        if (session.json) session.document({ migration });
        session.say(`${migrationLabel(migration)} goes on. Watch it: ${unbroken(`volmove watch ${id}`)}`);
        return EXIT.done;
      }),
    );
};
