import { setTimeout as wait } from 'node:timers/promises';
import { destinationOf } from './arns.ts';
import { createDeliverer, DEFAULT_RETRY, type DeliveryWorld, type RetryPlan } from './delivery.ts';
import type { Delivery, Journal } from './journal.ts';

export interface CourierOptions {
  readonly invokeLambda: DeliveryWorld['invokeLambda'];
  readonly sendMessage: DeliveryWorld['sendMessage'];
  readonly onDeliveryFailed: (failure: DeliveryFailure) => void;
  /** A journal write, a dead letter or a listener that failed. */
  readonly onError: (error: unknown) => void;
  readonly retry?: RetryPlan;
  readonly sleep?: DeliveryWorld['sleep'];
  readonly random?: () => number;
}

export interface DeliveryFailure extends Delivery {
  readonly error: unknown;
  readonly tries: number;
}

export interface DeliveryCounts {
  readonly accepted: number;
  readonly delivered: number;
  readonly failed: number;
  readonly pending: number;
}

/** Journal and deliverer together: accepted first, then tried, then struck off. */
export const startCourier = (options: CourierOptions, journal: Journal) => {
  const { invokeLambda, sendMessage, onDeliveryFailed, onError, retry = DEFAULT_RETRY, random = Math.random } = options;
  const sleep: DeliveryWorld['sleep'] = options.sleep ?? ((ms, signal) => wait(ms, undefined, { signal, ref: false }));
  const counts = { accepted: 0, delivered: 0, failed: 0, pending: 0 };
  const deliverer = createDeliverer({ invokeLambda, sendMessage, sleep, random }, retry, {
    delivered: () => {
      counts.delivered += 1;
    },
    async givenUp(delivery, error, tries) {
      counts.failed += 1;
      onDeliveryFailed({ ...delivery, error, tries });
      await keepAsDeadLetter(delivery);
    },
  });

  const keepAsDeadLetter = async ({ target, event }: Delivery): Promise<void> => {
    const queue = destinationOf(target.DeadLetterConfig?.Arn ?? '');
    if (queue?.kind === 'queue') await sendMessage(queue.queueName, JSON.stringify(event));
  };

  const bring = async (delivery: Delivery): Promise<void> => {
    counts.pending += 1;
    try {
      if ((await deliverer.deliver(delivery)) === 'settled') await journal.done(delivery);
    } catch (error) {
      onError(error);
    } finally {
      counts.pending -= 1;
    }
  };
  const underWay = new Set<Promise<void>>();
  const start = (delivery: Delivery): void => {
    const brought = bring(delivery);
    underWay.add(brought);
    void brought.finally(() => underWay.delete(brought));
  };
  for (const delivery of journal.left) start(delivery);

  return {
    counts: (): DeliveryCounts => ({ ...counts }),
    /** Resolves when the deliveries are in the journal. */
    async take(acceptedCount: number, deliveries: readonly Delivery[]): Promise<void> {
      await journal.put(deliveries);
      counts.accepted += acceptedCount;
      for (const delivery of deliveries) start(delivery);
    },
    /** Afterwards nothing is written to the journal any more. */
    async close(): Promise<void> {
      await deliverer.close();
      await Promise.all(underWay);
    },
  };
};
