// What must hold for every history: ids without gaps, chains that lead back, every entered state left or ended.
import type { Event } from './world.ts';

const ENDS = ['ExecutionSucceeded', 'ExecutionFailed', 'ExecutionTimedOut', 'ExecutionAborted'];

/** The problems of a history, in words; none when it is well formed. */
export function wellFormed(events: readonly Event[]): string[] {
  const problems: string[] = [];
  const byId = new Map(events.map((event) => [event.id, event]));
  for (const [index, event] of events.entries()) {
    const { id, previousEventId, timestamp, type } = event;
    const previous = byId.get(previousEventId);
    if (id !== index + 1) problems.push(`event ${index + 1} has the id ${id}`);
    if (previousEventId < 0 || previousEventId >= id) problems.push(`${id} ${type} follows ${previousEventId}`);
    if (previousEventId > 0 && previous === undefined)
      problems.push(`${id} ${type} follows an event that is not there`);
    if (timestamp < (events[index - 1]?.timestamp ?? 0)) problems.push(`${id} ${type} is before the event before it`);
    if (ENDS.includes(type) !== (index === events.length - 1)) problems.push(`${id} ${type} is not where it belongs`);
    if (type.endsWith('StateExited')) problems.push(...exitProblems(event, byId));
  }
  if (events[0]?.type !== 'ExecutionStarted') problems.push('the first event is no ExecutionStarted');
  return [...problems, ...openStates(events, byId)];
}

function nameOf(event: Event): unknown {
  const details = event.stateEnteredEventDetails ?? event.stateExitedEventDetails;
  return (details as { name?: unknown } | undefined)?.name;
}

/** The entered event that this event belongs to, found by following the chain back. */
function entryOf(event: Event, byId: ReadonlyMap<number, Event>): Event | undefined {
  let current = byId.get(event.previousEventId);
  let iterations = 0;
  while (current !== undefined) {
    // Iterations of a Map hang between its start and its end.
    if (current.type === 'MapIterationSucceeded') iterations += 1;
    if (current.type === 'MapIterationStarted') iterations -= 1;
    if (current.type.endsWith('StateEntered') && iterations === 0) return current;
    current = byId.get(current.previousEventId);
  }
  return undefined;
}

function exitProblems(event: Event, byId: ReadonlyMap<number, Event>): string[] {
  const entry = entryOf(event, byId);
  const fits = entry !== undefined && nameOf(entry) === nameOf(event);
  const sameKind = entry?.type.replace('Entered', '') === event.type.replace('Exited', '');
  return fits && sameKind ? [] : [`${event.id} ${event.type} does not lead back to its entry`];
}

/** States that were entered and not left although the execution went on: only in iterations that were given up. */
function openStates(events: readonly Event[], byId: ReadonlyMap<number, Event>): string[] {
  const left = new Set(
    events.filter(({ type }) => type.endsWith('StateExited')).map((event) => entryOf(event, byId)?.id),
  );
  const open = events.filter(({ id, type }) => type.endsWith('StateEntered') && !left.has(id));
  const isExcused = (entry: Event): boolean =>
    events.some(
      (event) =>
        ['MapIterationFailed', 'MapIterationAborted', ...ENDS].includes(event.type) &&
        event.id > entry.id &&
        leadsBackTo(event, entry.id, byId),
    );
  const last = events.at(-1);
  // StopExecution and the machine's time-out end the execution wherever it is, and follow event 0.
  if (last?.previousEventId === 0) return [];
  return open.filter((entry) => !isExcused(entry)).map(({ id, type }) => `${id} ${type} is never left`);
}

function leadsBackTo(event: Event, id: number, byId: ReadonlyMap<number, Event>): boolean {
  let current: Event | undefined = event;
  while (current !== undefined && current.id > id) current = byId.get(current.previousEventId);
  return current?.id === id;
}
