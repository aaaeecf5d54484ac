import { createRequire } from 'node:module';

/** dynalite's operations by name, loaded when the embedded cloud starts: each is a parameter check and an action. */

const NAMES = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
  'UpdateTable',
] as const;

export interface Operation {
  readonly validation: { readonly types: object; readonly custom: unknown };
  readonly action: (store: DynaliteStore, data: object, done: (error: unknown, reply?: unknown) => void) => void;
}

export const loadOperations = (): ReadonlyMap<string, Operation> => {
  const load = createRequire(import.meta.url);
  return new Map(
    NAMES.map((name) => {
      const file = `${name.charAt(0).toLowerCase()}${name.slice(1)}.js`;
      return [name, { validation: load(`dynalite/validations/${file}`), action: load(`dynalite/actions/${file}`) }];
    }),
  );
};
