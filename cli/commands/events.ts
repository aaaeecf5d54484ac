import type { MigrationEvent } from '../api/types.ts';
import { usageError } from '../errors.ts';
import { type Follow, followAll, followOne } from '../events/follow.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { eventLine } from '../output/event-line.ts';
import { renderLine } from '../output/line.ts';
import { type AddCommand, examples, wholeFrom } from '../runtime/command.ts';
import { listenForInterrupts } from '../runtime/interrupts.ts';
import { resolveMigration } from '../runtime/resolve.ts';
import type { Session } from '../runtime/session.ts';

/** `volmove events`: what was told to event rules, again or as it comes. */

interface EventsOptions {
  readonly after?: number;
  readonly follow?: boolean;
}

const tellTo =
  (session: Session, withLabel: boolean) =>
  (event: MigrationEvent, label: string): void => {
    if (session.json) session.document(event, 'line');
    else session.data(`${renderLine(eventLine(event, withLabel ? label : undefined), session.paint)}\n`);
  };

const follow = async (
  session: Session,
  withLabel: boolean,
  run: (follow: Follow) => Promise<boolean>,
): Promise<ExitCode> => {
  const interrupts = listenForInterrupts(session.deps);
  try {
    const { client, deps, say } = session;
    const tell = tellTo(session, withLabel);
    const toTheEnd = await run({ client, deps, leave: interrupts.first, tell, note: say });
    return toTheEnd ? EXIT.done : EXIT.detached;
  } finally {
    interrupts.stop();
  }
};

const eventsOfOne = async (session: Session, text: string, options: EventsOptions): Promise<ExitCode> => {
  const { id } = await resolveMigration(session.client, text);
  const after = options.after ?? 0;
  if (options.follow === true) return follow(session, false, (way) => followOne(way, id, after));
  const events = await session.client.events(id, after);
  const tell = tellTo(session, false);
  for (const event of events) tell(event, '');
  if (events.length === 0) session.say('There are no such events yet. Wait for them: volmove events --follow');
  return EXIT.done;
};

const eventsOfAll = (session: Session, options: EventsOptions): Promise<ExitCode> => {
  if (options.follow !== true) {
    throw usageError('Which migration’s events?', 'Name it, or follow all of them: volmove events --follow');
  }
  if (options.after !== undefined) {
    throw usageError('--after is a number in one migration’s events.', 'Name the migration.');
  }
  session.say('Waiting for events; end with Ctrl-C.');
  return follow(session, true, followAll);
};

export const addEvents: AddCommand = (program, { act }) => {
  program
    .command('events')
    .summary('print a migration’s events, or all as they come')
    .description('Prints the events of a migration. With --follow until it has ended; without MIGRATION those of all.')
    .argument('[MIGRATION]', 'id, or its first 8 or more characters')
    .option('--after <sequence>', 'only those after this sequence number', wholeFrom(0))
    .option('--follow', 'wait for more')
    .addHelpText('before', examples('volmove events 0197c2a4 --follow', 'volmove events --follow --json'))
    .action(
      act<EventsOptions>((session, operands, options) =>
        operands[0] === undefined ? eventsOfAll(session, options) : eventsOfOne(session, operands[0], options),
      ),
    );
};
