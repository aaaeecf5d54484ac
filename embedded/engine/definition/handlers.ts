// Retry and Catch.
import { RESERVED_ERRORS, STATES_ALL } from '../failure.ts';
import { readEffects } from './effects.ts';
import { CATCH_FIELDS, RETRY_FIELDS } from './fields.ts';
import { type Reader, SECONDS } from './reader.ts';
import type { Catcher, Handlers, Retrier } from './types.ts';

/** The States Language's defaults of a retrier. */
const DEFAULT_INTERVAL_SECONDS = 1;
const DEFAULT_BACKOFF_RATE = 2;
const DEFAULT_MAX_ATTEMPTS = 3;

export function readHandlers(reader: Reader): Handlers {
  const retriers = reader.objects('Retry');
  const catchers = reader.objects('Catch');
  checkAllIsLast(retriers);
  checkAllIsLast(catchers);
  return { retry: retriers.map(readRetrier), catch: catchers.map(readCatcher) };
}

function readRetrier(reader: Reader): Retrier {
  reader.onlyFields(RETRY_FIELDS);
  const intervalSeconds = reader.number('IntervalSeconds', SECONDS) ?? DEFAULT_INTERVAL_SECONDS;
  const maxDelaySeconds = reader.number('MaxDelaySeconds', { least: 1, most: 31_622_400, whole: true });
  if (maxDelaySeconds !== undefined && maxDelaySeconds <= intervalSeconds) {
    reader.report(
      'MaxDelaySeconds',
      `must be more than IntervalSeconds (${intervalSeconds}); raise it or leave it out`,
    );
  }
  const jitter = reader.text('JitterStrategy') ?? 'NONE';
  if (jitter !== 'FULL' && jitter !== 'NONE') {
    reader.report('JitterStrategy', `is '${jitter}'; use FULL or NONE`);
  }
  return {
    errorEquals: readErrorEquals(reader),
    intervalSeconds,
    backoffRate: reader.number('BackoffRate', { least: 1, most: 99_999_999, whole: false }) ?? DEFAULT_BACKOFF_RATE,
    maxAttempts: reader.number('MaxAttempts', { least: 0, most: 99_999_999, whole: true }) ?? DEFAULT_MAX_ATTEMPTS,
    maxDelaySeconds: maxDelaySeconds ?? Number.POSITIVE_INFINITY,
    jitter: jitter === 'FULL' ? 'FULL' : 'NONE',
  };
}

function readCatcher(reader: Reader): Catcher {
  reader.onlyFields(CATCH_FIELDS);
  return {
    errorEquals: readErrorEquals(reader),
    next: reader.requiredText('Next'),
    ...readEffects(reader, ['errorOutput']),
  };
}

function readErrorEquals(reader: Reader): readonly string[] {
  const raw = reader.raw('ErrorEquals');
  if (!Array.isArray(raw) || raw.length === 0 || !raw.every((name) => typeof name === 'string')) {
    reader.report('ErrorEquals', 'must be an array of at least one error name; correct it');
    return [];
  }
  for (const name of raw) {
    if (name.startsWith('States.') && !RESERVED_ERRORS.has(name)) {
      reader.report('ErrorEquals', `names '${name}', which no state reports; correct its spelling`);
    }
  }
  if (raw.includes(STATES_ALL) && raw.length > 1) {
    reader.report('ErrorEquals', `must hold ${STATES_ALL} alone; remove the other names or give them their own entry`);
  }
  return raw;
}

function checkAllIsLast(handlers: readonly Reader[]): void {
  for (const handler of handlers.slice(0, -1)) {
    const raw = handler.raw('ErrorEquals');
    if (Array.isArray(raw) && raw.includes(STATES_ALL)) {
      handler.report('ErrorEquals', `holds ${STATES_ALL} before other entries; move it to the end`);
    }
  }
}
