import { destinationOf } from './arns.ts';
import type { BusEvent } from './entries.ts';
import { asFields, type Fields, invalid, optionalText, refuseUnsupported, requiredText } from './fields.ts';
import type { Target } from './model.ts';

/** A target of a rule: what of it is accepted, and what is sent to it for an event. */

const SUPPORTED = ['Id', 'Arn', 'Input', 'InputPath', 'RoleArn', 'RetryPolicy', 'DeadLetterConfig'];
const MAX_RETRY_ATTEMPTS = 185;

export const readTarget = (given: unknown): Target => {
  const fields = asFields(given, 'A target');
  refuseUnsupported(fields, SUPPORTED, 'Target field');
  const arn = requiredText(fields, 'Arn', { max: 1600 });
  if (!destinationOf(arn)) {
    throw invalid(
      `Target ${arn} is not supported by the embedded event bus: a Lambda function or a standard SQS queue is wanted.`,
    );
  }
  const input = readInput(fields);
  const roleArn = optionalText(fields, 'RoleArn', { max: 1600 });
  const retry = readRetryPolicy(fields.RetryPolicy);
  const deadLetters = readDeadLetters(fields.DeadLetterConfig);
  return {
    Id: requiredText(fields, 'Id', { max: 64, pattern: /^[.\-_A-Za-z0-9]+$/ }),
    Arn: arn,
    ...input,
    ...(roleArn === undefined ? {} : { RoleArn: roleArn }),
    ...(retry === undefined ? {} : { RetryPolicy: retry }),
    ...(deadLetters === undefined ? {} : { DeadLetterConfig: deadLetters }),
  };
};

/** `$` and names joined by dots; no indices, no filters. */
const INPUT_PATH = /^\$(?:\.[A-Za-z0-9_-]+)*$/;

const readInput = (fields: Fields): Pick<Target, 'Input' | 'InputPath'> => {
  const input = optionalText(fields, 'Input', { max: 8192 });
  const path = optionalText(fields, 'InputPath', { max: 256, pattern: INPUT_PATH });
  if (input !== undefined && path !== undefined) throw invalid('Only one of Input and InputPath may be given.');
  if (path !== undefined) return { InputPath: path };
  if (input === undefined) return {};
  try {
    JSON.parse(input);
  } catch {
    throw invalid('Input must be a JSON text.');
  }
  return { Input: input };
};

const readRetryPolicy = (given: unknown): Target['RetryPolicy'] => {
  if (given === undefined || given === null) return undefined;
  const fields = asFields(given, 'RetryPolicy');
  refuseUnsupported(fields, ['MaximumRetryAttempts'], 'RetryPolicy field');
  const attempts = fields.MaximumRetryAttempts;
  if (typeof attempts !== 'number' || !Number.isInteger(attempts) || attempts < 0 || attempts > MAX_RETRY_ATTEMPTS) {
    throw invalid(`MaximumRetryAttempts must be a whole number from 0 to ${MAX_RETRY_ATTEMPTS}.`);
  }
  return { MaximumRetryAttempts: attempts };
};

const readDeadLetters = (given: unknown): Target['DeadLetterConfig'] => {
  if (given === undefined || given === null) return undefined;
  const arn = requiredText(asFields(given, 'DeadLetterConfig'), 'Arn', { max: 1600 });
  if (destinationOf(arn)?.kind !== 'queue') throw invalid('DeadLetterConfig wants the ARN of a standard SQS queue.');
  return { Arn: arn };
};

/** A path that leads nowhere sends null. */
export const payloadFor = ({ Input, InputPath }: Target, event: BusEvent): unknown => {
  if (Input !== undefined) return JSON.parse(Input);
  if (InputPath === undefined) return event;
  return InputPath.split('.').slice(1).reduce<unknown>(stepInto, event) ?? null;
};

const stepInto = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Fields)[name] : undefined;
