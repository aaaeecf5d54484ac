import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AwsService, jsonService } from '../front/aws-wire.ts';
import type { Account } from './arns.ts';
import { type CourierOptions, type DeliveryCounts, startCourier } from './courier.ts';
import { type AcceptedEntry, type BusEvent, isRefused, readEntries } from './entries.ts';
import { memoryJournal, openJournal } from './journal.ts';
import { deliveriesOf } from './matching.ts';
import { controlOperation } from './operations.ts';
import { openRules } from './rules.ts';

/**
 * The EventBridge of the embedded cloud. Buses, rules and targets survive any end of the process; accepted events that were not
 * delivered survive kill -9 (see journal.ts for what a power loss may take). Listeners in this process get each event once, and
 * only those accepted while they listen.
 */

export interface BusOptions extends Account, CourierOptions {
  /** Without it everything is kept in memory only. */
  readonly dir?: string;
  readonly nowMs?: () => number;
  readonly newId?: () => string;
}

export type BusListener = (event: BusEvent, busName: string) => void;

export interface EventBus {
  readonly service: AwsService;
  /** As the API's PutEvents, for callers in this process. */
  putEvents(entries: readonly unknown[]): Promise<PutEventsReply>;
  /** PutEvents for the services of the embedded cloud themselves: sources that begin with `aws.` are allowed. */
  publish(entries: readonly unknown[]): Promise<PutEventsReply>;
  /** Returns what ends the subscription. */
  subscribe(listener: BusListener): () => void;
  readonly counts: () => DeliveryCounts;
  close(): Promise<void>;
}

export interface PutEventsReply {
  readonly FailedEntryCount: number;
  readonly Entries: readonly (
    | { readonly EventId: string }
    | { readonly ErrorCode: string; readonly ErrorMessage: string }
  )[];
}

export const startBus = async (options: BusOptions): Promise<EventBus> => {
  const { dir, onError, region, accountId, nowMs = Date.now, newId = randomUUID } = options;
  if (dir !== undefined) await mkdir(dir, { recursive: true });
  const rules = await openRules(dir === undefined ? undefined : join(dir, 'rules.json'));
  const journal = dir === undefined ? memoryJournal() : await openJournal({ path: join(dir, 'events.log'), onError });
  const courier = startCourier(options, journal);
  const listeners = new Set<BusListener>();
  const frame = {
    region,
    accountId,
    newId,
    hasBus: (name: string) => rules.current().some((bus) => bus.name === name),
  };

  const putEvents = async (body: unknown, fromService: boolean): Promise<PutEventsReply> => {
    const entries = readEntries(body, { ...frame, nowMs: nowMs(), fromService });
    const accepted = entries.filter((entry): entry is AcceptedEntry => !isRefused(entry));
    await courier.take(
      accepted.length,
      accepted.flatMap((entry) => deliveriesOf(rules.current(), entry)),
    );
    for (const entry of accepted) tell(listeners, entry, onError);
    return {
      FailedEntryCount: entries.length - accepted.length,
      Entries: entries.map((entry) => (isRefused(entry) ? entry : { EventId: entry.event.id })),
    };
  };

  const control = { account: { region, accountId }, current: () => rules.current(), change: rules.change };
  return {
    service: jsonService('1.1', async (target, body) => {
      const name = target.slice(target.indexOf('.') + 1);
      const reply = name === 'PutEvents' ? await putEvents(body, false) : await controlOperation(control, name, body);
      return { status: 200, body: reply };
    }),
    putEvents: (entries) => putEvents({ Entries: entries }, false),
    publish: (entries) => putEvents({ Entries: entries }, true),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    counts: courier.counts,
    async close() {
      await courier.close();
      await journal.close();
    },
  };
};

const tell = (
  listeners: ReadonlySet<BusListener>,
  { event, busName }: AcceptedEntry,
  onError: BusOptions['onError'],
): void => {
  for (const listener of listeners) {
    try {
      listener(event, busName);
    } catch (error) {
      onError(error);
    }
  }
};
