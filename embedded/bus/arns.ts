/** Names of buses, rules and targets as ARNs, and back. */

export interface Account {
  readonly region: string;
  readonly accountId: string;
}

export const DEFAULT_BUS = 'default';

export const busArn = ({ region, accountId }: Account, bus: string): string =>
  `arn:aws:events:${region}:${accountId}:event-bus/${bus}`;

/** Rules of the default bus are named without it. */
export const ruleArn = ({ region, accountId }: Account, bus: string, rule: string): string =>
  `arn:aws:events:${region}:${accountId}:rule/${bus === DEFAULT_BUS ? '' : `${bus}/`}${rule}`;

/** A bus may be given by name or ARN. */
export const busNameOf = (nameOrArn: string | undefined): string =>
  nameOrArn === undefined ? DEFAULT_BUS : nameOrArn.replace(/^arn:aws[a-z-]*:events:[^:]*:[^:]*:event-bus\//, '');

export type Destination =
  | { readonly kind: 'lambda'; readonly functionName: string }
  | { readonly kind: 'queue'; readonly queueName: string };

const LAMBDA = /^arn:aws[a-z-]*:lambda:[^:]*:[^:]*:function:([A-Za-z0-9-_]{1,64})(?::[^:]+)?$/;
const QUEUE = /^arn:aws[a-z-]*:sqs:[^:]*:[^:]*:([A-Za-z0-9-_]{1,80})$/;

/** Undefined: nothing the embedded bus can deliver to (FIFO queues included). */
export const destinationOf = (arn: string): Destination | undefined => {
  const functionName = LAMBDA.exec(arn)?.[1];
  if (functionName !== undefined) return { kind: 'lambda', functionName };
  const queueName = QUEUE.exec(arn)?.[1];
  return queueName === undefined ? undefined : { kind: 'queue', queueName };
};
