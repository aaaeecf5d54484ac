/** The two state machines as data. Their files are what the embedded engine loads as well: there is one definition only. */

export const machineNames = ['migrate-volume', 'volume-job'] as const;
export type MachineName = (typeof machineNames)[number];

export const machineFile = (name: MachineName): string => `statemachines/${name}.asl.json`;

/**
 * The machine's name in the account. It is fixed because functions are told the machines' ARNs while the machines name the
 * functions' ARNs: one side of that circle has to be known beforehand.
 */
export const machinePhysicalName = (name: MachineName): string => `volmove-${name}`;
