import { tableDefinition } from '../store/table.ts';

/** Names and timings of an embedded cloud: what CDK gives the deployed functions, they are given here. */
export const REGION = 'us-east-1';
export const ACCOUNT_ID = '000000000000';
export const TABLE = 'volmove';
export const BUS = 'volmove';
export const MACHINES = ['migrate-volume', 'volume-job'] as const;

export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT_ID}:function:${name}`;
export const machineArn = (name: (typeof MACHINES)[number]): string =>
  `arn:aws:states:${REGION}:${ACCOUNT_ID}:stateMachine:${name}`;

/** Ticks are short on one machine (design section 7). */
export const SWEEP_EVERY_MS = 1_000;
export const TIDY_EVERY_MS = 60_000;
export const FULL_SWEEP_EVERY_MS = 3_600_000;

/** What may be told otherwise, by the environment of `volmove up`. */
const TIMINGS = {
  VOLMOVE_HOST_LOST_AFTER_MS: '15000',
  VOLMOVE_SWEEP_GRACE_MS: '3000',
  VOLMOVE_REMOVAL_WAIT_SECONDS: '20',
};

export const functionEnvironment = (
  endpoint: string,
  given: Readonly<Record<string, string | undefined>> = {},
): Record<string, string> => ({
  AWS_REGION: REGION,
  VOLMOVE_ENDPOINT_URL: endpoint,
  VOLMOVE_TABLE: TABLE,
  VOLMOVE_BUS: BUS,
  VOLMOVE_MIGRATE_MACHINE_ARN: machineArn('migrate-volume'),
  VOLMOVE_VOLUME_MACHINE_ARN: machineArn('volume-job'),
  ...Object.fromEntries(Object.entries(TIMINGS).map(([name, usual]) => [name, given[name] ?? usual])),
});

export const TABLE_DEFINITION = tableDefinition(TABLE);
