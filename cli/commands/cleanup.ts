import type { Leftover, Leftovers, Removal, RemovalAsked } from '../api/leftovers.ts';
import { usageError } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { leftoverColumns, removalColumns } from '../output/leftover-table.ts';
import { renderTable } from '../output/table.ts';
import { type AddCommand, examples } from '../runtime/command.ts';
import { requireYes } from '../runtime/confirm.ts';
import type { Session } from '../runtime/session.ts';

/** `volmove cleanup`: what is left over in the pools, and its removal by exact name. */

interface CleanupOptions {
  readonly remove?: readonly string[];
  readonly removeAll?: boolean;
  readonly yes?: boolean;
}

const howMany = (count: number, what = 'object'): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const sayNotAsked = (session: Session, { not_asked: notAsked }: Leftovers): void => {
  for (const { host, reason } of notAsked) session.say(`Not looked into: ${host}: ${reason}.`);
};

const sayNothingLeft = (session: Session, { not_asked: notAsked }: Leftovers): void =>
  session.say(`Nothing is left over${notAsked.length === 0 ? '' : ' in the pools that were looked into'}.`);

/** Nothing is left only where everything was looked into. */
const exitCodeOf = (found: Leftovers, left: readonly Leftover[]): ExitCode =>
  left.length === 0 && found.not_asked.length === 0 ? EXIT.done : EXIT.leftovers;

const list = (session: Session, found: Leftovers): ExitCode => {
  const { leftovers } = found;
  if (session.json) session.document(found);
  else if (leftovers.length > 0)
    session.data(renderTable(leftoverColumns(session.deps.nowMs()), leftovers, session.look));
  sayNotAsked(session, found);
  if (leftovers.length === 0) sayNothingLeft(session, found);
  else session.say('Remove one: volmove cleanup --remove NAME; what nobody wants: volmove cleanup --remove-all');
  return exitCodeOf(found, leftovers);
};

const warnOfUnknown = (session: Session, chosen: readonly Leftover[]): void => {
  for (const { object, why, state } of chosen) if (state === 'unknown') session.say(`${object}: ${why}.`);
};

const confirm = async (session: Session, objects: readonly string[], yes: boolean): Promise<void> => {
  if (yes) return;
  for (const object of objects) session.say(object);
  await requireYes(session, {
    question: `Remove ${howMany(objects.length)}, for ever?`,
    unasked: 'There is nobody to ask whether to remove it.',
    refused: 'Nothing was removed.',
  });
};

const asked = ({ object, host, id }: Leftover): RemovalAsked => ({ object, host, ...(id === null ? {} : { id }) });

const showRemoved = (session: Session, removed: readonly Removal[]): void => {
  if (session.json) session.document({ objects: removed });
  else if (removed.length > 0) session.data(renderTable(removalColumns, removed, session.look));
};

const removalCode = (removed: readonly Removal[]): ExitCode => {
  if (removed.some(({ state }) => state === 'pending' || state === 'failed')) return EXIT.leftovers;
  return removed.some(({ state }) => state === 'refused') ? EXIT.blocked : EXIT.done;
};

/** By exact name, also what the service does not know: whoever names it has looked. What is in use is refused with the reason. */
const removeNamed = async (session: Session, names: readonly string[], yes: boolean): Promise<ExitCode> => {
  const found = await session.client.leftovers();
  const wanted = [...new Set(names)];
  const chosen = found.leftovers.filter(({ object }) => wanted.includes(object));
  warnOfUnknown(session, chosen);
  await confirm(session, wanted, yes);
  const others = wanted.filter((name) => !chosen.some(({ object }) => object === name));
  const objects = [...chosen.map(asked), ...others.map((object) => ({ object }))];
  const removed = await session.client.removeLeftovers(objects, true);
  showRemoved(session, removed);
  return removalCode(removed);
};

/** Everything but what the service does not know: that is removed by its name alone. */
const removeAll = async (session: Session, yes: boolean): Promise<ExitCode> => {
  const found = await session.client.leftovers();
  const chosen = found.leftovers.filter(({ state }) => state !== 'unknown');
  const unknown = found.leftovers.filter(({ state }) => state === 'unknown');
  let removed: readonly Removal[] = [];
  if (chosen.length > 0) {
    const names = chosen.map(({ object }) => object);
    await confirm(session, [...new Set(names)], yes);
    removed = await session.client.removeLeftovers(chosen.map(asked), false);
  }
  showRemoved(session, removed);
  sayNotAsked(session, found);
  if (unknown.length > 0)
    session.say(`${howMany(unknown.length)} of which nobody here knows whose they are: volmove cleanup --remove NAME`);
  else if (chosen.length === 0) sayNothingLeft(session, found);
  const gone = new Set(removed.filter(({ state }) => state === 'removed').map(({ object }) => object));
  return exitCodeOf(
    found,
    found.leftovers.filter(({ object }) => !gone.has(object)),
  );
};

export const addCleanup: AddCommand = (program, { act }) => {
  program
    .command('cleanup')
    .summary('list and remove what is left over')
    .description(
      'Lists what is left over: removals that are still tried, and objects in the pools that no volume refers to. It asks the hosts that are up. Ends with 0 when nothing is left.',
    )
    .option('--remove <NAME...>', 'remove these by their exact names; what a volume refers to is refused')
    .option('--remove-all', 'remove all that this service knows nobody wants')
    .option('--yes', 'do not ask')
    .addHelpText(
      'before',
      examples('volmove cleanup', 'volmove cleanup --remove NAME', 'volmove cleanup --remove-all --yes'),
    )
    .action(
      act<CleanupOptions>(async (session, _operands, { remove, removeAll: all = false, yes = false }) => {
        if (remove !== undefined && all)
          throw usageError('Give --remove or --remove-all, not both.', 'See: volmove cleanup --help');
        if (remove !== undefined) return removeNamed(session, remove, yes);
        if (all) return removeAll(session, yes);
        return list(session, await session.client.leftovers());
      }),
    );
};
