import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { volmoveError } from '../domain/error.ts';
import { EVENT_SOURCE } from '../domain/event.ts';
import type { Notifier } from '../domain/ports.ts';

/** PutEvents takes ten entries a call (EventBridge API reference, PutEvents). */
const BATCH = 10;

export const eventBridgeNotifier = (client: EventBridgeClient, busName: string): Notifier => ({
  async notify(events) {
    for (let i = 0; i < events.length; i += BATCH) {
      const answer = await client.send(
        new PutEventsCommand({
          Entries: events.slice(i, i + BATCH).map(({ detailType, detail }) => ({
            EventBusName: busName,
            Source: EVENT_SOURCE,
            DetailType: detailType,
            Detail: JSON.stringify(detail),
            Time: new Date(detail.at),
            Resources: [detail.volume_id],
          })),
        }),
      );
      const refused = answer.Entries?.find((entry) => entry.ErrorCode);
      if (refused)
        throw volmoveError('Internal', {
          reason: `the event bus refused an event: ${refused.ErrorCode} ${refused.ErrorMessage ?? ''}`,
        });
    }
  },
});
