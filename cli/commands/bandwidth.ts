import { migrationLabel } from '../api/types.ts';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import { limit } from '../output/units.ts';
import { type AddCommand, examples, operand, positive } from '../runtime/command.ts';
import { MIGRATION_OR_VOLUME, resolveUnderWay } from '../runtime/resolve.ts';

/** `volmove bandwidth`: a migration's own limit, changed while it runs. */

const MIB = 1024 * 1024;

/** Bytes a second; null: none. Throws unless exactly one of the two was said. */
const wished = (mebibytes: string | undefined, none: boolean): number | null => {
  if ((mebibytes === undefined) !== none)
    throw usageError('Say how many MiB/s, or --none.', 'For example: volmove bandwidth data1 200');
  return mebibytes === undefined ? null : Math.max(1, Math.round(Number(mebibytes) * MIB));
};

export const addBandwidth: AddCommand = (program, { act }) => {
  program
    .command('bandwidth')
    .summary('change how fast a migration may copy')
    .description('Changes the limit of a migration while it runs. The limit of its host, if it has one, stays.')
    .argument('<MIGRATION|VOLUME>', MIGRATION_OR_VOLUME)
    .argument('[MiB/s]', 'copy no faster than this', positive)
    .option('--none', 'without a limit of its own')
    .addHelpText('before', examples('volmove bandwidth 0197c2a4 200', 'volmove bandwidth data1 --none'))
    .action(
      act<{ none?: boolean }>(async (session, operands, { none = false }) => {
        const bytesPerSecond = wished(operands[1], none);
        const { id } = await resolveUnderWay(session.client, operand(operands, 0));
        const migration = await session.client.setBandwidth(id, bytesPerSecond);
        if (session.json) session.document({ migration });
        session.say(`${migrationLabel(migration)}: ${limit(bytesPerSecond)}.`);
        return EXIT.done;
      }),
    );
};
