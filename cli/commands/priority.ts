import { PRIORITIES, type Priority } from '../../domain/priority.ts';
import { migrationLabel } from '../api/types.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { queueState } from '../output/queue.ts';
import { type AddCommand, examples, operand } from '../runtime/command.ts';
import { MIGRATION_OR_VOLUME, resolveUnderWay } from '../runtime/resolve.ts';

/** `volmove priority`: who is next among the migrations that wait for a place at a host. */

const levelOf = (text: string): Priority => {
  const level = PRIORITIES.find((one) => one === text);
  if (level === undefined)
    throw usageError(`"${text}" is no priority: ${PRIORITIES.join(', ')}.`, 'For example: volmove priority data1 high');
  return level;
};

export const addPriority: AddCommand = (program, { act }) => {
  program
    .command('priority')
    .summary('change who is next among those that wait')
    .description(
      'Changes the priority of a migration: who is next when more wait at a host than may run at once. What runs goes on.',
    )
    .argument('<MIGRATION|VOLUME>', MIGRATION_OR_VOLUME)
    .argument('<PRIORITY>', PRIORITIES.join(', '))
    .addHelpText('before', examples('volmove priority 0197c2a4 high', 'volmove priority data1 low'))
    .action(
      act(async (session, operands) => {
        const level = levelOf(operand(operands, 1));
        const { id } = await resolveUnderWay(session.client, operand(operands, 0));
        const migration = await session.client.setPriority(id, level);
        if (session.json) session.document({ migration });
        const queued = queueState(migration);
        session.say(`${migrationLabel(migration)}: priority ${level}${queued === undefined ? '' : `, ${queued}`}.`);
        return EXIT.done;
      }),
    );
};
