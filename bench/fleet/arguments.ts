import { optionValues, wholeNumber } from '../command-line.ts';

/** The command line of the bench of many migrations at once. */
export interface FleetOptions {
  readonly migrations: number;
  /** Seconds between two progress reports; ten of them are how long a copy takes. */
  readonly intervalSeconds: number;
  readonly json: boolean;
  readonly help: boolean;
}

const MIGRATIONS = 100;
const INTERVAL_SECONDS = 2;

export const USAGE = `npm run bench:fleet -- [--migrations N] [--interval SECONDS] [--json]

That many migrations at once between four agents of an embedded cloud, each slow enough to report ten times: how long they
take, and what each costs the control plane. Status 1 when one does not succeed or writes too much.

  --migrations N      how many (${MIGRATIONS})
  --interval SECONDS  between two reports of a copy's progress (${INTERVAL_SECONDS})
  --json              one row a line in place of the table`;

export const parseFleet = (args: readonly string[]): FleetOptions => {
  const values = optionValues(args, {
    migrations: { type: 'string' },
    interval: { type: 'string' },
    json: { type: 'boolean' },
  });
  return {
    migrations: wholeNumber('migrations', values.migrations, 1) ?? MIGRATIONS,
    intervalSeconds: wholeNumber('interval', values.interval, 1) ?? INTERVAL_SECONDS,
    json: values.json ?? false,
    help: values.help ?? false,
  };
};
