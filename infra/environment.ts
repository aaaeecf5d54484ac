/** What every Lambda is told by its environment; functions/shared/settings.ts parses it and gives each value's meaning. */
import type { MachineName } from './machines.ts';

export interface Resources {
  readonly tableName: string;
  readonly busName: string;
  readonly machineArns: Readonly<Record<MachineName, string>>;
}

/** Times of a deployment on AWS, where hosts are far away; the embedded cloud sets its own, far shorter ones. */
export const timings = {
  VOLMOVE_HOST_LOST_AFTER_MS: '600000',
  VOLMOVE_SWEEP_GRACE_MS: '60000',
  VOLMOVE_REMOVAL_WAIT_SECONDS: '60',
  VOLMOVE_STEP_TIMEOUT_SECONDS: '900',
  VOLMOVE_COPY_TIMEOUT_SECONDS: String(7 * 86_400),
};

export const functionEnvironment = ({ tableName, busName, machineArns }: Resources): Record<string, string> => ({
  ...timings,
  VOLMOVE_TABLE: tableName,
  VOLMOVE_BUS: busName,
  VOLMOVE_MIGRATE_MACHINE_ARN: machineArns['migrate-volume'],
  VOLMOVE_VOLUME_MACHINE_ARN: machineArns['volume-job'],
});
