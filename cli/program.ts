import { Command } from 'commander';
import { addAgent } from './commands/agent.ts';
import { addAttach } from './commands/attach.ts';
import { addBandwidth } from './commands/bandwidth.ts';
import { addCancel } from './commands/cancel.ts';
import { addCleanup } from './commands/cleanup.ts';
import { addCreate } from './commands/create.ts';
import { addDelete } from './commands/delete.ts';
import { addDemo } from './commands/demo.ts';
import { addDetach } from './commands/detach.ts';
import { addEvents } from './commands/events.ts';
import { addHosts } from './commands/hosts.ts';
import { addList } from './commands/list.ts';
import { addMigrate } from './commands/migrate.ts';
import { addPause, addResume } from './commands/pause.ts';
import { addPools } from './commands/pools.ts';
import { addPriority } from './commands/priority.ts';
import { addRestore } from './commands/restore.ts';
import { addRetry } from './commands/retry.ts';
import { addShow } from './commands/show.ts';
import { addUp } from './commands/up.ts';
import { addVolumes } from './commands/volumes.ts';
import { addWatch } from './commands/watch.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { type AddCommand, examples, type Runner } from './runtime/command.ts';
import type { CliDeps } from './runtime/deps.ts';
import { DEFAULT_ENDPOINT, DEFAULT_TOKEN } from './runtime/session.ts';

/** The program: its commands in the order an administrator meets them, its global options, and its help. */

const GROUPS: readonly (readonly [string, readonly AddCommand[]])[] = [
  [
    'Migrations:',
    [
      addMigrate,
      addWatch,
      addList,
      addShow,
      addPause,
      addResume,
      addBandwidth,
      addPriority,
      addCancel,
      addRestore,
      addRetry,
      addEvents,
    ],
  ],
  ['Volumes:', [addVolumes, addCreate, addDelete, addAttach, addDetach]],
  ['Storage:', [addHosts, addPools, addCleanup]],
  ['Running it:', [addUp, addAgent, addDemo]],
];

const EXAMPLES = examples(
  'volmove migrate data1 --to store-b@files#p1 --dry-run   # can it be moved there?',
  'volmove migrate data1 --to store-b@files#p1 --wait      # move it, and watch',
  'volmove list --state running                            # what is under way',
  'volmove show data1                                      # where it lives, and how it came there',
  'volmove up                                              # run the service on this machine',
);

const NOTES = `
Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}

Environment:
  VOLMOVE_ENDPOINT   where the service is (${DEFAULT_ENDPOINT})
  VOLMOVE_TOKEN      who you are (${DEFAULT_TOKEN}: the administrator of a service on this machine)
  NO_COLOR           no colours

Data goes to stdout, messages go to stderr. VOLUME is a name or an id, MIGRATION
is an id; the first 8 or more characters of an id are enough when no other
begins with them.
`;

const termOf = (command: Command): string =>
  [command.name(), ...command.registeredArguments.map((one) => (one.required ? one.name() : `[${one.name()}]`))].join(
    ' ',
  );

export const createProgram = (deps: CliDeps, runner: Runner): Command => {
  const program = new Command('volmove')
    .description('Moves block volumes between storage backends and hosts, and tells the truth about every move.')
    .version(deps.version, '--version', 'print the version')
    .option('--json', 'JSON on stdout; one document, or one a line from watch, events, up, agent and demo')
    .option('--endpoint <url>', 'where the service is (VOLMOVE_ENDPOINT)')
    .option('--token <token>', 'who you are (VOLMOVE_TOKEN)')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, subcommandTerm: termOf })
    .configureOutput({
      writeOut: deps.stdout.write,
      writeErr: deps.stderr.write,
      getOutHelpWidth: () => (deps.stdout.isTty ? deps.stdout.columns() : 100),
      getErrHelpWidth: () => (deps.stderr.isTty ? deps.stderr.columns() : 100),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      // The report of an error is printed in one place, for every kind of error (run.ts).
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('before', EXAMPLES)
    .addHelpText('after', NOTES);
  for (const [heading, commands] of GROUPS) {
    program.commandsGroup(heading);
    for (const add of commands) add(program, runner, deps);
  }
  return program;
};
