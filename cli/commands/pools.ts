import type { Pool } from '../api/types.ts';
import { EXIT } from '../exit-codes.ts';
import { type Span, span } from '../output/line.ts';
import { upOrDown } from '../output/status.ts';
import { type Column, renderTable } from '../output/table.ts';
import { bytes } from '../output/units.ts';
import { type AddCommand, examples } from '../runtime/command.ts';

/** `volmove pools`: the places a volume can live in, and the room there. */

const GIB = 1024 ** 3;
const ALMOST_FULL = 0.1;

const capacity = (gib: number | string | undefined): string =>
  typeof gib === 'number' ? bytes(gib * GIB) : (gib ?? '-');

const free = ({ capabilities }: Pool): Span => {
  const { total_capacity_gb: total, free_capacity_gb: left } = capabilities;
  const scarce = typeof total === 'number' && typeof left === 'number' && left < total * ALMOST_FULL;
  return span(capacity(left), scarce ? 'yellow' : undefined);
};

/** The standard's drivers say these as words or as booleans. */
const reports = ({ capabilities }: Pool): string => {
  const value = capabilities.migration_progress_report;
  if (value === undefined) return '-';
  return value === true || /^(<is> )?true$/iu.test(String(value)) ? 'yes' : 'no';
};

const COLUMNS: readonly Column<Pool>[] = [
  { title: 'PLACE', cell: (pool) => span(pool.name) },
  { title: 'STATE', cell: (pool) => upOrDown(pool.capabilities.backend_state) },
  { title: 'FREE', cell: free, align: 'right' },
  { title: 'TOTAL', cell: (pool) => span(capacity(pool.capabilities.total_capacity_gb)), align: 'right' },
  { title: 'ALLOCATED', cell: (pool) => span(capacity(pool.capabilities.allocated_capacity_gb)), align: 'right' },
  { title: 'DRIVER', cell: (pool) => span(pool.capabilities.driver ?? '-'), cut: 'drop' },
  { title: 'PROGRESS', cell: (pool) => span(reports(pool)), cut: 'drop' },
];

export const addPools: AddCommand = (program, { act }) => {
  program
    .command('pools')
    .summary('list the places a volume can live in')
    .description(
      'Lists the pools. PLACE is what --to and --pool take; PROGRESS: moves inside the backend report theirs.',
    )
    .addHelpText('before', examples('volmove pools'))
    .action(
      act(async (session) => {
        const pools = await session.client.pools();
        if (session.json) session.document({ pools });
        else if (pools.length === 0)
          session.say('There are no pools. Start the agent of a host: volmove agent --config FILE');
        else session.data(renderTable(COLUMNS, pools, session.look));
        return EXIT.done;
      }),
    );
};
