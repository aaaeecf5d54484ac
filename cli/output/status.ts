import type { Check, Migration, Volume } from '../api/types.ts';
import { hasBytes } from '../watch/phases.ts';
import { type Span, span } from './line.ts';
import type { Tone } from './paint.ts';
import { pauseState } from './pause.ts';
import { queueState } from './queue.ts';
import { ago } from './units.ts';

/** States in the colours that administrators expect: green is fine, yellow is under way, red wants a look. */

const VOLUME_TONES: Readonly<Record<string, Tone>> = {
  available: 'green',
  'in-use': 'green',
  error: 'red',
  error_deleting: 'red',
  error_extending: 'red',
};

export const volumeStatus = (volume: Volume): Span => span(volume.status, VOLUME_TONES[volume.status] ?? 'yellow');

export const migrationStatus = (volume: Volume): Span => {
  const status = volume.migration_status ?? '-';
  const tone = status === 'error' ? 'red' : status === '-' || status === 'success' ? 'dim' : 'yellow';
  return span(status, tone);
};

/** Below 100 while a migration runs, whatever is reported: 100 % means that it succeeded. */
export const shownPercent = (migration: Migration): number =>
  migration.state === 'succeeded' ? 100 : Math.max(0, Math.min(99, Math.floor(migration.progress?.percent ?? 0)));

/** `copying 45 %`, `succeeded`, `failed, needs you`: what a migration is doing, in one cell. */
export const migrationState = (migration: Migration): Span => {
  switch (migration.state) {
    case 'succeeded':
    case 'failed':
    case 'refused': {
      const { state } = migration.cleanup;
      const more = state === 'needs_you' ? ', needs you' : state === 'pending' ? ', cleaning up' : '';
      const fine = migration.state === 'succeeded' && state !== 'needs_you';
      return span(`${migration.state}${more}`, fine ? 'green' : 'red');
    }
    case 'requested':
      return span(migration.state, 'yellow');
    case 'running': {
      const percent =
        migration.progress?.phase === migration.phase && hasBytes(migration.phase)
          ? ` ${shownPercent(migration)} %`
          : '';
      const cancelling = migration.cancel_wished && migration.phase !== 'rolling_back';
      const wish = cancelling ? 'cancelling' : (pauseState(migration) ?? queueState(migration));
      return span(
        `${migration.phase.replaceAll('_', ' ')}${percent}${wish === undefined ? '' : `, ${wish}`}`,
        'yellow',
      );
    }
  }
};

export const cleanupState = (migration: Migration): Span => {
  switch (migration.cleanup.state) {
    case 'none':
      return span('-', 'dim');
    case 'done':
      return span('done', 'dim');
    case 'pending':
      return span('under way', 'yellow');
    case 'needs_you':
      return span('needs you', 'red');
  }
};

export const upOrDown = (state: string | undefined): Span => span(state ?? '-', state === 'up' ? 'green' : 'red');

export const checkResult = (check: Check): Span => (check.ok ? span('ok', 'green') : span('blocked', 'red'));

export const since = (iso: string | null, nowMs: number): string => {
  const ms = iso === null ? Number.NaN : Date.parse(iso);
  return Number.isNaN(ms) ? '-' : ago(nowMs - ms);
};
