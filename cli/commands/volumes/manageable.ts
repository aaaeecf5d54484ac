import type { Manageable } from '../../api/manageable.ts';
import { EXIT } from '../../exit-codes.ts';
import { span } from '../../output/line.ts';
import { type Column, renderTable } from '../../output/table.ts';
import { bytes } from '../../output/units.ts';
import { type AddCommand, examples, operand } from '../../runtime/command.ts';

/** `volmove volumes manageable`: what others have made in a pool, and whether it can be taken over. */

const exactBytes = ({ extra_info: info }: Manageable): number | undefined => {
  const found = /(?:^|\b)bytes=(\d+)/.exec(info ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
};

const sizeOf = (one: Manageable): string => {
  const exact = exactBytes(one);
  return exact === undefined ? `${one.size} GiB` : bytes(exact);
};

/** The names are never cut: they are there to be copied. */
const columns: readonly Column<Manageable>[] = [
  { title: 'NAME', cell: ({ reference }) => span(reference['source-name']) },
  { title: 'SIZE', cell: (one) => span(sizeOf(one)), align: 'right' },
  { title: 'FIT', cell: ({ safe_to_manage: fit }) => (fit ? span('yes', 'green') : span('no', 'red')) },
  { title: 'WHY NOT', cell: ({ reason_not_safe: why }) => span(why ?? ''), cut: 'wrap', min: 24 },
];

export const addManageable: AddCommand = (volumes, { act }) => {
  volumes
    .command('manageable')
    .summary('list what lies in a pool and could be taken over')
    .description(
      'Asks the pool’s host what others have made there: name, size, and whether it can be taken over as a volume, or why not.',
    )
    .argument('<HOST@BACKEND#POOL>', 'where to look')
    .addHelpText('before', examples('volmove volumes manageable store-a@files#p1'))
    .action(
      act(async (session, operands) => {
        const place = operand(operands, 0);
        const found = await session.client.manageable(place);
        if (session.json) session.document({ 'manageable-volumes': found });
        else if (found.length > 0) session.data(renderTable(columns, found, session.look));
        if (found.length === 0) session.say(`Others have made nothing in ${place} that could be a volume.`);
        else if (found.some((one) => one.safe_to_manage))
          session.say(`Take one over: volmove volumes manage ${place} NAME`);
        return EXIT.done;
      }),
    );
};
