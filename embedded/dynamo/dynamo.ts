import validations from 'dynalite/validations/index.js';
import { AwsError, type AwsReply, type AwsService, jsonReply, parseJson } from '../front/aws-wire.ts';
import { openStore, type StorePlace, tableUsable } from './open-store.ts';
import { loadOperations, type Operation } from './operations.ts';

/**
 * DynamoDB: dynalite's checks and actions, called straight on its store. Its own HTTP listener is left out, because it ends the
 * process when a caller hangs up in the middle of a request, and lets any web page read the tables.
 *
 * Not there: transactions, TTL, streams, PartiQL. A write survives kill -9; after a power loss the last ones may be missing.
 * A kill in the middle of a write may leave an index row without its item's change (the sweeper's scan repairs it). ListTables
 * reads every key of the store: use DescribeTable instead.
 */

export interface Dynamo {
  readonly service: AwsService;
  /** Waits for the calls under way, then closes the store. */
  close(): Promise<void>;
}

export const startDynamo = async (place: StorePlace): Promise<Dynamo> => {
  const store = await openStore(place);
  const operations = loadOperations();
  const underWay = new Set<Promise<AwsReply>>();
  return {
    async service(call) {
      const name = call.target.slice(call.target.indexOf('.') + 1);
      const operation = operations.get(name);
      if (!operation) {
        throw new AwsError('UnknownOperationException', `The embedded DynamoDB has no ${name}; see embedded/dynamo.`);
      }
      const reply = run(store, operation, parseJson(call.body));
      underWay.add(reply);
      try {
        return await reply;
      } finally {
        underWay.delete(reply);
      }
    },
    async close() {
      await Promise.allSettled(underWay);
      await store.lifecycleManager.gracefulClose();
    },
  };
};

/** dynalite reports what the caller did wrong as an error with `statusCode` and a ready body; anything else is a fault. */
const run = async (store: DynaliteStore, { validation, action }: Operation, body: unknown): Promise<AwsReply> => {
  try {
    const data = validations.checkTypes(asObject(body), validation.types);
    validations.checkValidations(data, validation.types, validation.custom, store);
    const reply = await perform(store, action, data);
    const made = 'TableName' in data && isTableDescription(reply) ? String(data.TableName) : undefined;
    if (made !== undefined) await tableUsable(store, made);
    return jsonReply('1.0', 200, reply);
  } catch (error) {
    if (isRefusal(error)) return jsonReply('1.0', error.statusCode, error.body);
    throw error;
  }
};

const perform = (store: DynaliteStore, action: Operation['action'], data: object): Promise<unknown> =>
  new Promise((resolve, reject) => {
    action(store, data, (error, reply) => {
      if (error) reject(error as Error);
      else resolve(reply);
    });
  });

const asObject = (body: unknown): object => {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new AwsError('SerializationException', 'The request body is not a JSON object.');
};

const isRefusal = (error: unknown): error is { statusCode: number; body: object } =>
  typeof error === 'object' && error !== null && 'statusCode' in error && 'body' in error;

const isTableDescription = (reply: unknown): boolean =>
  typeof reply === 'object' && reply !== null && 'TableDescription' in reply;
