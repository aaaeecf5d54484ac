// GetExecutionHistory.
import { z } from 'zod';
import { readJournal } from '../journal/journal.ts';
import { withoutData } from '../run/history.ts';
import { findExecution } from './executions.ts';
import { operation } from './operation.ts';
import { decodeToken, encodeToken, maxResults, nextToken } from './pages.ts';

/** The number of events that earlier pages held. */
const PLACE = z.int().min(0);

export const getExecutionHistory = operation(
  z.object({
    executionArn: z.string().min(1).max(256),
    maxResults,
    reverseOrder: z.boolean().nullish(),
    nextToken,
    includeExecutionData: z.boolean().nullish(),
  }),
  (machines, input) => {
    const { machine, head } = findExecution(machines, input.executionArn);
    const start = decodeToken(input.nextToken, PLACE) ?? 0;
    const { events } = readJournal(machine.journalPath(head.name));
    const ordered = input.reverseOrder === true ? events.toReversed() : events;
    const end = start + input.maxResults;
    const page = ordered.slice(start, end);
    return {
      events: input.includeExecutionData === false ? page.map(withoutData) : page,
      ...(end < ordered.length ? { nextToken: encodeToken(end) } : {}),
    };
  },
);
