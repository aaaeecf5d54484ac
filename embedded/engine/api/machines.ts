// DescribeStateMachine, ListStateMachines.
import { z } from 'zod';
import type { Machine } from '../machines/machine.ts';
import { parseMachineArn } from './arns.ts';
import { stateMachineDoesNotExist } from './errors.ts';
import { machineByArn, operation, seconds } from './operation.ts';
import { decodeToken, encodeToken, maxResults, nextToken } from './pages.ts';

export const describeStateMachine = operation(
  z.object({ stateMachineArn: z.string().min(1).max(256) }),
  (machines, { stateMachineArn }) => {
    const machine = machineByArn(machines, stateMachineArn, parseMachineArn(stateMachineArn));
    const current = machine.definitions.current();
    if (current === null) throw stateMachineDoesNotExist(stateMachineArn);
    return {
      stateMachineArn: machine.arn,
      name: machine.name,
      status: 'ACTIVE',
      definition: current.text,
      roleArn: machine.roleArn,
      type: 'STANDARD',
      creationDate: seconds(current.loadedMs),
      loggingConfiguration: { level: 'OFF', includeExecutionData: false },
      tracingConfiguration: { enabled: false },
    };
  },
);

/** The name of the last machine of the page before. */
const PLACE = z.string();

export const listStateMachines = operation(z.object({ maxResults, nextToken }), (machines, input) => {
  const after = decodeToken(input.nextToken, PLACE) ?? '';
  const loaded = machines
    .all()
    .flatMap((machine) => listItem(machine) ?? [])
    .filter(({ name }) => name > after)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const page = loaded.slice(0, input.maxResults);
  const last = page.at(-1);
  return {
    stateMachines: page,
    ...(page.length < loaded.length && last !== undefined ? { nextToken: encodeToken(last.name) } : {}),
  };
});

/** Machines without a current definition only have executions that run to their end. */
function listItem(machine: Machine) {
  const current = machine.definitions.current();
  if (current === null) return undefined;
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    type: 'STANDARD',
    creationDate: seconds(current.loadedMs),
  };
}
