import { startBus } from '../../embedded/bus/bus.ts';
import { startDynamo } from '../../embedded/dynamo/dynamo.ts';
import { createFront } from '../../embedded/front/front.ts';

/** A process that can be killed: tables and bus on the directory given, its URL on standard output. Its targets never answer. */

const [dir = ''] = process.argv.slice(2);
const never = () => new Promise<never>(() => undefined);
const onError = (error: unknown): void => {
  throw error;
};
const dynamo = await startDynamo({ dir: `${dir}/tables` });
const bus = await startBus({
  region: 'us-east-1',
  accountId: '000000000000',
  dir: `${dir}/bus`,
  invokeLambda: never,
  sendMessage: never,
  onDeliveryFailed: ({ error }) => onError(error),
  onError,
});
const front = await createFront({
  host: '127.0.0.1',
  port: 0,
  routes: { dynamo: dynamo.service, events: bus.service, gateway: never },
  onError,
});
process.stdout.write(`${front.url}\n`);
