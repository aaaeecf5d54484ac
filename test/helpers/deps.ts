import type { Settings } from '../../functions/shared/settings.ts';

/** Settings as short as the embedded cloud's. */
export const SETTINGS: Settings = {
  region: 'us-east-1',
  endpoint: undefined,
  table: 'volmove',
  bus: 'volmove',
  machines: { 'migrate-volume': 'arn:migrate', 'volume-job': 'arn:volume' },
  hostLostAfterMs: 15_000,
  sweepGraceMs: 2_000,
  removalWaitSeconds: 60,
  copyTimeoutSeconds: 3_600,
  stepTimeoutSeconds: 900,
  pauseMaxMs: 86_400_000,
  maxBodyBytes: 262_144,
};
