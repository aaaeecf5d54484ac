// History events in the shape and with the names of GetExecutionHistory.

type Details = Readonly<Record<string, unknown>>;

/** As it goes over the wire: `timestamp` in seconds since 1970, one `...EventDetails` member or none. */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly timestamp: number;
  readonly type: string;
  readonly [details: `${string}EventDetails`]: Details;
}

/** Step Functions ends an execution with more events than this. */
export const MAX_EVENTS = 25_000;

export interface EventSeed {
  readonly id: number;
  readonly previousEventId: number;
  readonly atMs: number;
  readonly type: string;
  readonly details: Details | undefined;
}

export function historyEvent({ id, previousEventId, atMs, type, details }: EventSeed): HistoryEvent {
  const event = { id, previousEventId, timestamp: atMs / 1000, type };
  return details === undefined ? event : { ...event, [detailsMember(type)]: details };
}

/** Entered and Exited events of all kinds of states share one member each; the others have their own. */
function detailsMember(type: string): `${string}EventDetails` {
  if (type.endsWith('StateEntered')) return 'stateEnteredEventDetails';
  if (type.endsWith('StateExited')) return 'stateExitedEventDetails';
  if (type === 'MapStateStarted') return 'mapStateStartedEventDetails';
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails`;
}

/** Payload members, which `includeExecutionData: false` leaves out, each followed by its `...Details`. */
const DATA_MEMBERS = ['input', 'output', 'assignedVariables', 'parameters'];

export function withoutData(event: HistoryEvent): HistoryEvent {
  const members = Object.entries(event).map(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? [key, Object.fromEntries(Object.entries(value).filter(([member]) => !DATA_MEMBERS.includes(member)))]
      : [key, value],
  );
  return Object.fromEntries(members) as HistoryEvent;
}

/** The payload of an event: JSON text, never cut, as the engine keeps below the size limit. */
export function inputDetails(input: string): Details {
  return { input, inputDetails: { truncated: false } };
}

export function outputDetails(output: string): Details {
  return { output, outputDetails: { truncated: false } };
}

/** Leaves out what is not known, as Step Functions does. */
export function errorDetails(error: string | null | undefined, cause: string | null | undefined): Details {
  return {
    ...(error === null || error === undefined ? {} : { error }),
    ...(cause === null || cause === undefined || cause === '' ? {} : { cause }),
  };
}
