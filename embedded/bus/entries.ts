import { type Account, busNameOf } from './arns.ts';
import { asFields, type Fields, invalid, requiredList } from './fields.ts';

/** The entries of PutEvents: which are accepted, and the events they become. */

/** An event as rules match it and targets get it. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, UTC, to the second. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AcceptedEntry {
  readonly busName: string;
  readonly event: BusEvent;
}

export interface RefusedEntry {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

export interface EntryFrame extends Account {
  readonly nowMs: number;
  readonly newId: () => string;
  readonly hasBus: (name: string) => boolean;
  /** Sources that begin with `aws.` are for the services of the embedded cloud itself. */
  readonly fromService: boolean;
}

const MAX_ENTRIES = 10;
const MAX_TOTAL_BYTES = 256 * 1024;
const TIME_BYTES = 14;

/** Throws ValidationException when the request as a whole is refused. */
export const readEntries = (body: unknown, frame: EntryFrame): readonly (AcceptedEntry | RefusedEntry)[] => {
  const fields = asFields(body);
  if (fields.EndpointId) throw invalid('EndpointId is not supported by the embedded event bus.');
  const entries = requiredList(fields, 'Entries', MAX_ENTRIES).map((entry) => asFields(entry, 'An entry'));
  const totalBytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (totalBytes > MAX_TOTAL_BYTES) {
    throw invalid(
      `Total size of the entries in the request is over the limit (${totalBytes} of ${MAX_TOTAL_BYTES} bytes).`,
    );
  }
  return entries.map((entry) => readEntry(entry, frame));
};

export const isRefused = (entry: AcceptedEntry | RefusedEntry): entry is RefusedEntry => 'ErrorCode' in entry;

/** As AWS counts it: the texts in UTF-8, and 14 bytes for a time. */
const sizeOf = (entry: Fields): number => {
  const texts = [
    entry.Source,
    entry.DetailType,
    entry.Detail,
    ...(Array.isArray(entry.Resources) ? entry.Resources : []),
  ];
  const textBytes = texts.reduce<number>(
    (sum, text) => sum + (typeof text === 'string' ? Buffer.byteLength(text) : 0),
    0,
  );
  return textBytes + (entry.Time === undefined || entry.Time === null ? 0 : TIME_BYTES);
};

const refused = (code: string, message: string): RefusedEntry => ({ ErrorCode: code, ErrorMessage: message });

const missing = (name: string): RefusedEntry =>
  refused('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);

const readEntry = (entry: Fields, frame: EntryFrame): AcceptedEntry | RefusedEntry => {
  const { Source, DetailType, Detail, Resources, Time, EventBusName } = entry;
  if (typeof Source !== 'string' || Source === '') return missing('Source');
  if (typeof DetailType !== 'string' || DetailType === '') return missing('DetailType');
  if (typeof Detail !== 'string' || Detail === '') return missing('Detail');
  if (Source.startsWith('aws.') && !frame.fromService) {
    return refused('NotAuthorizedForSourceException', `Not authorized for the source ${Source}.`);
  }
  const detail = parseDetail(Detail);
  if (!detail) return refused('MalformedDetail', 'Detail is malformed: it must be the text of a JSON object.');
  const atMs = Time === undefined || Time === null ? frame.nowMs : Number(Time) * 1000;
  if (!Number.isFinite(atMs) || Math.abs(atMs) > 8.64e15) {
    return refused('InvalidArgument', 'Parameter Time is not valid. Reason: it must be seconds since 1970.');
  }
  const busName = busNameOf(typeof EventBusName === 'string' ? EventBusName : undefined);
  if (!frame.hasBus(busName)) return refused('ResourceNotFoundException', `Event bus ${busName} does not exist.`);
  return {
    busName,
    event: {
      version: '0',
      id: frame.newId(),
      'detail-type': DetailType,
      source: Source,
      account: frame.accountId,
      time: `${new Date(atMs).toISOString().slice(0, -5)}Z`,
      region: frame.region,
      resources: Array.isArray(Resources) ? Resources.map(String) : [],
      detail,
    },
  };
};

const parseDetail = (text: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? (detail as Fields) : undefined;
  } catch {
    return undefined;
  }
};
